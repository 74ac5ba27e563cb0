//! Voicera: a self-hosted voice-command platform, as one modular monolith.

pub mod kit;
pub mod voice;
