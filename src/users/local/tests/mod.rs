//! What the rooms do together, and the stages that their own tests stand on.

mod conformance;
mod devices;
mod lost_factor;
mod sessions;
mod tokens;

pub(in crate::users) mod desk;
pub(in crate::users) mod people;
pub(in crate::users) mod somebody;
pub(in crate::users) mod stage;
