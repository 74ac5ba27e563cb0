//! Voicera as its users see it: the real binary, over HTTP and on the command line.
//!
//! One binary for all tests, because linking dominates. Each file is a theme; [`support`] has the
//! processes and the client that they share.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails by panicking"
)]

mod support;

mod cli;
mod cli_db;
mod cli_jobs;
mod cli_migrate;
mod cli_server;
mod cli_users;
mod credentials;
mod durability;
mod entrance;
mod faults;
mod gateway;
mod hostile_connections;
mod house;
mod http;
mod interop;
mod llm;
mod nlu_cli;
mod openapi;
mod operations;
mod split;
mod tls;
