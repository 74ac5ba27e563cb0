//! What every module stands on. Knows no module.

pub mod clock;
pub mod ids;
pub mod queue;
pub mod storage;
