//! What clients see over HTTP, whatever the topology: run with one embedded process, and, by
//! `VOICERA_TEST_TOPOLOGY=production`, with five on MongoDB and Redis.

mod accounts;
mod authorization;
mod contract;
mod hostile;
mod hostile_bodies;
pub mod llm;
mod llm_cache;
mod operations;
mod skills;
mod voice;
mod voice_history;
