//! The users module itself: [`access`] is getting in, [`administration`] looking after accounts.

pub mod access;
pub mod administration;
mod assembly;
pub mod metrics;
pub mod reseal;
pub mod seal;
pub mod secret;
mod seen;
#[cfg(test)]
pub(super) mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use crate::kit::auth::{Credential, Presented};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::health::{Check, Health, Probe};
use crate::kit::ids::{Ids, UserId};
use crate::kit::storage::StorageError;
use crate::users::account::{Kind, Status};
use crate::users::api::{Identity, Preferences, Trust, Users};
use crate::users::audit::{Action, Scribe};
use crate::users::http;
use crate::users::local::access::credentials::Credentials;
use crate::users::local::access::invitations::Invitations;
use crate::users::local::access::mail::Mail;
use crate::users::local::access::passkeys::{Passkeys, RelyingParty};
use crate::users::local::access::password::{Cost, Passwords};
use crate::users::local::access::registration::{Registration, RegistrationOptions};
use crate::users::local::access::second_factor::SecondFactors;
use crate::users::local::access::sessions::{SessionOptions, Sessions};
use crate::users::local::access::signing::{Signer, SigningOptions};
use crate::users::local::access::step_up::StepUp;
use crate::users::local::administration::directory::Directory;
use crate::users::local::administration::keyring::Keyring;
use crate::users::local::administration::personal::Personal;
use crate::users::local::administration::role_book::RoleBook;
use crate::users::local::seen::Seen;
use crate::users::roles;
use crate::users::store::{FirstKey, NewAccount, NewKey, UserStore, Within};
use crate::users::verifier::KEY_PREFIX;
use crate::voice::api::Voice;

/// The name of the account that the first start makes.
const OWNER: &str = "owner";
/// Revocations in one answer; the rest comes with the next question.
const REVOCATIONS_AT_ONCE: u32 = 10_000;
/// How often what has expired is removed and keys are looked after.
const UPKEEP: SignedDuration = SignedDuration::from_mins(10);

/// How the module works.
#[derive(Debug, Clone)]
pub struct Options {
    /// How tokens are made out.
    pub signing: SigningOptions,
    /// How long sessions go on.
    pub sessions: SessionOptions,
    /// How hard passwords are to hash.
    pub password_cost: Cost,
    /// How many are hashed at a time.
    pub password_threads: usize,
    /// How many may wait for that.
    pub password_queue: usize,
    /// How accounts begin.
    pub registration: RegistrationOptions,
    /// Where messages are handed over.
    pub mail: Mail,
    /// What passkeys are bound to.
    pub relying_party: RelyingParty,
}

/// The users module in this process: its rooms, for the endpoints and the command line.
#[derive(Debug, Clone)]
pub struct LocalUsers {
    pub(super) store: Arc<dyn UserStore>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) directory: Arc<Directory>,
    pub(super) role_book: Arc<RoleBook>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) step_up: Arc<StepUp>,
    pub(super) second_factors: Arc<SecondFactors>,
    pub(super) passkeys: Arc<Passkeys>,
    pub(super) signer: Arc<Signer>,
    pub(super) registration: Arc<Registration>,
    pub(super) invitations: Arc<Invitations>,
    pub(super) credentials: Arc<Credentials>,
    pub(super) passwords: Passwords,
    pub(super) mail: Mail,
    pub(super) seen: Arc<Seen>,
    pub(super) scribe: Scribe,
    pub(super) clock: SharedClock,
    pub(super) ids: Ids,
}

impl LocalUsers {
    /// Logging in and out.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Makes what every installation has: the built-in roles and a signing key.
    ///
    /// # Errors
    /// The store's, or a seal that is not this installation's.
    pub async fn prepare(&self) -> Result<(), ApiError> {
        self.store.seed_roles(roles::built_in(), self.clock.now()).await?;
        self.signer.keep_fresh().await?;
        self.signer.check().await
    }

    /// Makes the first account and its key, good for everything, if there never was one.
    ///
    /// `keep` has to put the key where its owner finds it; the account is made after that, so that
    /// a crash in between leaves nothing that nobody has the key to.
    ///
    /// # Errors
    /// The store's, or what `keep` says.
    pub async fn bootstrap<E: From<StorageError>>(
        &self,
        keep: impl FnOnce(&SecretString) -> Result<(), E>,
    ) -> Result<Option<SecretString>, E> {
        if self.store.has_had_keys().await? {
            return Ok(None);
        }
        let key = secret::fresh(KEY_PREFIX, self.ids.entropy());
        keep(&key)?;
        let (user, at) = (self.ids.fresh::<UserId>(), self.clock.now());
        let account = NewAccount {
            id: user,
            kind: Kind::Service,
            name: OWNER.to_owned(),
            email: None,
            email_verified: false,
            password: None,
            status: Status::Active,
            role: roles::ADMIN.to_owned(),
            institution: None,
            at,
            trail: self.scribe.entry(Action::Create).on(user, None),
        };
        let new = NewKey {
            id: self.ids.fresh(),
            user,
            name: "first key".to_owned(),
            prefix: prefix(&key),
            hash: secret::hash(&key),
            scopes: None,
            at,
            expires_at: None,
            most: 1,
            trail: self.scribe.entry(Action::CreateKey).on(user, None),
        };
        if !self.store.add_first_key(FirstKey { account, key: new }).await? {
            tracing::warn!("another process has made the first key meanwhile: the one kept here is not good");
            return Ok(None);
        }
        Ok(Some(key))
    }

    /// The endpoints for which one needs a credential.
    pub fn router(&self) -> Router {
        http::guarded(self)
    }

    /// What is kept of people, here and by `voice`. It has endpoints of its own, and has to be run.
    pub fn personal(&self, voice: Option<Arc<dyn Voice>>) -> Arc<Personal> {
        ::metrics::describe_counter!(
            "voicera_users_erasures_total",
            "Erasures that other modules were told of, by outcome"
        );
        Arc::new(Personal {
            store: Arc::clone(&self.store),
            directory: Arc::clone(&self.directory),
            step_up: Arc::clone(&self.step_up),
            scribe: self.scribe.clone(),
            clock: Arc::clone(&self.clock),
            voice,
        })
    }

    /// The endpoints by which one gets a credential ([`super::api::OPEN`]).
    pub fn open_router(&self) -> Router {
        http::open(self)
    }

    /// The contract over HTTP, for other roles alone.
    pub fn internal_router(&self) -> Router {
        http::internal::routes(self.clone())
    }

    /// Removes what has expired, rotates signing keys and notes who was seen, until `stop`.
    pub async fn upkeep(self, stop: CancellationToken) {
        let mut next = self.clock.now();
        let note = SignedDuration::from_secs(15);
        loop {
            let now = self.clock.now();
            if now >= next {
                next = now.saturating_add(UPKEEP).unwrap_or(Timestamp::MAX);
                if let Err(error) = self.signer.keep_fresh().await {
                    tracing::error!(%error, "signing keys could not be looked after");
                }
                if let Err(error) = self.store.prune(now).await {
                    tracing::warn!(%error, "what has expired could not be removed");
                }
                if let Err(error) = self.registration.prune().await {
                    tracing::warn!(%error, "accounts that were never verified could not be removed");
                }
            }
            let again = now.saturating_add(note).unwrap_or(Timestamp::MAX);
            let over = stop.run_until_cancelled(self.clock.sleep_until(again)).await.is_none();
            if let Err(error) = self.seen.write(self.store.as_ref()).await {
                tracing::warn!(%error, "who was seen could not be noted");
            }
            if over {
                return;
            }
        }
    }
}

/// What of a key may be shown.
pub(super) fn prefix(key: &SecretString) -> String {
    key.expose_secret().chars().take(KEY_PREFIX.len() + 8).collect()
}

#[async_trait]
impl Users for LocalUsers {
    async fn identify(&self, key: &Credential) -> Result<Identity, ApiError> {
        let now = self.clock.now();
        let identity = self.store.by_key(&secret::hash_of(key.expose()), now).await?.ok_or_else(|| {
            ApiError::new(Code::Unauthorized, "this API key is not known here, or not any more")
        })?;
        if let Presented::Key(id) = identity.credential {
            self.seen.note(identity.user_id, id, now);
        }
        Ok(identity)
    }

    async fn trust(&self, position: u64) -> Result<Trust, ApiError> {
        // Revocations first: who reads them before roles and keys misses nothing, only learns twice.
        let (revocations, position) = self.store.revocations(position, REVOCATIONS_AT_ONCE).await?;
        let more = revocations.len() >= REVOCATIONS_AT_ONCE as usize;
        let roles = self.store.roles().await?;
        let signing_keys = self.signer.public_keys().await?;
        Ok(Trust { signing_keys, roles, revocations, position, more })
    }

    async fn preferences(&self, user: UserId) -> Result<Preferences, ApiError> {
        let account = self.store.account(user, &Within::Everyone).await?;
        account.map(|account| account.preferences).ok_or_else(|| ApiError::not_found("account"))
    }
}

#[async_trait]
impl Probe for LocalUsers {
    async fn health(&self) -> Health {
        let store = match self.store.check().await {
            Ok(()) => Check::up(),
            Err(error) => Check::down(error.to_string()),
        };
        Health::of([("store".to_owned(), store)])
    }
}
