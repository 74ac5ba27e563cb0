//! .
use crate::nlu::entity::builtin::tongue::Tongue;
pub(super) static ITALIAN: Tongue = Tongue::NEUTRAL;
