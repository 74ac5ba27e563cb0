//! Who a credential belongs to, before it is asked whether that still holds.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::kit::auth::{Presented, Scope};
use crate::kit::ids::UserId;

/// What a credential says of itself: true when it was made out, and until it is revoked or expires.
///
/// It may be kept for a while; the verifier makes a principal of it, each
/// time anew, from what is known of roles and revocations then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account.
    pub user_id: UserId,
    /// Its name, for people.
    pub name: String,
    /// Its role's name.
    pub role: String,
    /// The institution that it belongs to.
    pub institution: Option<String>,
    /// The account's epoch at the time.
    pub epoch: u64,
    /// What was presented.
    pub credential: Presented,
    /// What the credential is limited to; `None` for whatever the role permits.
    pub scopes: Option<BTreeSet<Scope>>,
    /// When the credential ends by itself.
    pub expires_at: Option<Timestamp>,
}
