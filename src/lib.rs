//! Voicera: a self-hosted voice-command platform, as one modular monolith.

pub mod cli;
pub mod config;
pub mod kit;
