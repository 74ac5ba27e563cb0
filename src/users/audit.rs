//! The audit trail: who did what to whom, from where, when, and what came of it.
//!
//! An entry is written in the transaction of what it tells of, so neither stands without the other;
//! what was refused changes nothing and is written by itself. Every entry is a log event, too.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::kit::auth::{Presented, Principal};
use crate::kit::clock::SharedClock;
use crate::kit::http::context;
use crate::kit::ids::{AuditId, Ids, UserId};

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $word:tt,)*) => {
        /// What was done, or tried.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub enum Action { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Reads the word; `None` for another.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }
        }
    };
}

actions! {
    /// Somebody registered.
    Register = "account.register",
    /// An administrator made an account.
    Create = "account.create",
    /// Somebody was invited.
    Invite = "account.invite",
    /// An e-mail address was verified.
    Verify = "account.verify",
    /// Profile, preferences or another field was changed.
    Update = "account.update",
    /// A role was given.
    SetRole = "account.role",
    /// The status was changed.
    SetStatus = "account.status",
    /// An account was removed whose address nobody had verified.
    Expire = "account.expire",
    /// Everything about a person was handed out.
    Export = "account.export",
    /// Everything about a person was erased.
    Erase = "account.erase",
    /// A password was changed by who knew it.
    ChangePassword = "password.change",
    /// A message to reset a password was asked for.
    AskReset = "password.ask_reset",
    /// A password was set with such a message, or on the command line.
    ResetPassword = "password.reset",
    /// A log-in.
    Login = "session.login",
    /// A used refresh token came back: its session was ended.
    Reuse = "session.reuse",
    /// Sessions were ended.
    Logout = "session.end",
    /// A second factor was set up.
    EnableTotp = "totp.enable",
    /// It was taken off.
    DisableTotp = "totp.disable",
    /// It was taken off by somebody else, and the passkeys with it.
    ResetSecondFactor = "second_factor.reset",
    /// Recovery codes were made anew.
    RenewRecovery = "recovery.renew",
    /// A passkey was added.
    AddPasskey = "passkey.add",
    /// A passkey was removed.
    RemovePasskey = "passkey.remove",
    /// An API key was made.
    CreateKey = "key.create",
    /// An API key was revoked.
    RevokeKey = "key.revoke",
    /// A role was made or changed.
    DefineRole = "role.define",
    /// A role was removed.
    RemoveRole = "role.remove",
    /// A new signing key was made.
    RotateSigningKey = "signing_key.rotate",
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

impl Outcome {
    /// The word on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its id.
    pub id: AuditId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it; absent when nobody had logged in, and for the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// With which credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Presented>,
    /// What.
    pub action: Action,
    /// Whose account it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<UserId>,
    /// The institution of that account: who reaches only an institution sees its entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub institution: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
    /// With what program, as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// In which request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What else is to be known; never a secret.
    #[schema(value_type = Object)]
    pub detail: Map<String, Value>,
}

impl Entry {
    /// Says who did it.
    #[must_use]
    pub fn by(mut self, principal: &Principal) -> Self {
        self.actor = Some(principal.user_id);
        self.credential = Some(principal.credential);
        self
    }

    /// Says whose account it concerns.
    #[must_use]
    pub fn on(mut self, target: UserId, institution: Option<&str>) -> Self {
        self.target = Some(target);
        self.institution = institution.map(str::to_owned);
        self
    }

    /// Says that it was refused.
    #[must_use]
    pub fn refused(mut self) -> Self {
        self.outcome = Outcome::Refused;
        self
    }

    /// Adds something to be known.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// Writes the entry to the log, once it is in the store.
    pub fn log(&self) {
        let show = |id: Option<UserId>| id.map(tracing::field::display);
        let detail = Value::Object(self.detail.clone());
        tracing::info!(
            target: "audit",
            action = self.action.as_str(),
            outcome = self.outcome.as_str(),
            actor = show(self.actor),
            on = show(self.target),
            address = self.address,
            %detail,
        );
    }
}

/// Begins entries.
#[derive(Debug, Clone)]
pub struct Scribe {
    clock: SharedClock,
    ids: Ids,
}

impl Scribe {
    /// A scribe by this clock.
    pub fn new(clock: SharedClock, ids: Ids) -> Self {
        Self { clock, ids }
    }

    /// An entry of what is being done now, in the request that is being served.
    pub fn entry(&self, action: Action) -> Entry {
        let context = context::current();
        Entry {
            id: self.ids.fresh(),
            at: self.clock.now(),
            actor: None,
            credential: None,
            action,
            target: None,
            institution: None,
            outcome: Outcome::Done,
            address: context.as_ref().and_then(|context| context.client.address).map(|ip| ip.to_string()),
            device: context.as_ref().and_then(|context| context.client.device.clone()),
            request_id: context.map(|context| context.request_id.clone()),
            detail: Map::new(),
        }
    }
}
