//! The users module's contract: who somebody is.

use serde::{Deserialize, Serialize};

use crate::kit::auth::Authenticator;
use crate::kit::health::Probe;

/// What other modules may ask of users: to check a credential, and how it is.
pub trait Users: Authenticator + Probe {}

/// The body of the contract call `authenticate`.
#[derive(Serialize, Deserialize)]
pub(super) struct AuthenticateRequest {
    /// The credential as the client presented it.
    pub(super) credential: String,
}

/// Where the contract call `authenticate` is served, inside the installation only.
pub(super) const AUTHENTICATE: &str = "/internal/users/authenticate";
