//! What every module stands on. Knows no module.

pub mod clock;
pub mod ids;
