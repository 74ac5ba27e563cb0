//! The voice module: commands, jobs, understanding.

pub mod providers;
