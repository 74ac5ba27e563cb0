//! .
use crate::nlu::entity::builtin::tongue::Tongue;
pub(super) static PORTUGUESE: Tongue = Tongue::NEUTRAL;
