//! What every module stands on. Knows no module.

pub mod auth;
pub mod cache;
pub mod clock;
pub mod error;
pub mod files;
pub mod health;
pub mod http;
pub mod ids;
pub mod language;
pub mod limits;
pub mod peer;
pub mod pubsub;
pub mod queue;
pub mod redis;
pub mod retry;
pub mod storage;
pub mod telemetry;
