//! Getting in: how accounts begin, what their owners log in with, and how long that is good for.

pub(in crate::users) mod beat;
pub mod credentials;
pub mod devices;
pub mod invitations;
pub mod limits;
pub mod mail;
pub mod one_time;
pub mod passkeys;
pub mod password;
pub mod registration;
pub mod second_factor;
pub mod sessions;
pub mod signing;
pub mod step_up;
