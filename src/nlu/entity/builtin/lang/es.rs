//! .
use crate::nlu::entity::builtin::tongue::Tongue;
pub(super) static SPANISH: Tongue = Tongue::NEUTRAL;
