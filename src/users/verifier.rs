//! Tells callers by their credentials, in every service for itself.
//!
//! It holds what the users module lets it know ([`Trust`]): keys, roles, revocations. That is asked
//! for every second, so that what is revoked is refused everywhere within seconds, and a token costs
//! a question to nobody. When it has not been renewed for too long, nobody is let in: better no answer
//! than a wrong one.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::kit::auth::{Authenticator, Credential, Presented, Principal};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::health::{Check, Health, Probe};
use crate::users::api::{Revocation, Role, Trust, Users};
use crate::users::identity::Identity;
use crate::users::token::{BadToken, TokenRules, VerifyingKeys};

/// What every API key begins with, so that scanners, people and this file recognise one.
pub const KEY_PREFIX: &str = "vk_";

/// How often the users module is asked for news.
const EVERY: SignedDuration = SignedDuration::from_secs(1);
/// How long a look at the health may take: [`Probe`] promises a second.
const LOOK: Duration = Duration::from_millis(800);

/// How a [`Verifier`] works.
#[derive(Debug, Clone)]
pub struct VerifierOptions {
    /// Whose tokens are good.
    pub rules: TokenRules,
    /// Checked credentials that are remembered.
    pub cache_entries: u64,
    /// For how long.
    pub cache_ttl: Duration,
    /// How old the news may be before nobody is let in.
    pub patience: Duration,
}

/// Whoever it is that tells callers apart here.
pub struct Verifier {
    users: Arc<dyn Users>,
    clock: SharedClock,
    options: VerifierOptions,
    /// By the credential's SHA-256: the cache holds no secret.
    cache: Cache<[u8; 32], Arc<Remembered>>,
    known: RwLock<Known>,
    /// Why the last question for news was not answered, and when that was clear; nothing once one was.
    failed: RwLock<Option<(Timestamp, ApiError)>>,
    renewing: tokio::sync::Mutex<()>,
}

/// A credential that was checked.
#[derive(Debug)]
struct Remembered {
    identity: Identity,
    /// The [`Known::generation`] that it was checked in.
    generation: u64,
}

/// What is known at the moment.
#[derive(Debug, Default)]
struct Known {
    keys: VerifyingKeys,
    roles: HashMap<String, Role>,
    revoked: HashMap<Uuid, Revocation>,
    position: u64,
    as_of: Option<Timestamp>,
    /// Grows whenever a key that verified tokens does so no more.
    generation: u64,
}

/// Why an identity is not let in any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The account may now do something else than when the credential was looked up.
    Outdated,
    /// For good.
    Ended,
}

impl Verifier {
    /// A verifier on what `users` says.
    pub fn new(users: Arc<dyn Users>, clock: SharedClock, options: VerifierOptions) -> Self {
        let cache =
            Cache::builder().max_capacity(options.cache_entries).time_to_live(options.cache_ttl).build();
        let (known, failed, renewing) = (RwLock::default(), RwLock::default(), tokio::sync::Mutex::default());
        Self { users, clock, options, cache, known, failed, renewing }
    }

    /// Asks for news every second until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut fine = true;
        loop {
            let asked = self.clock.now();
            match self.renew(asked).await {
                Ok(()) => fine = true,
                // Once: the trouble may last.
                Err(error) if fine => {
                    fine = false;
                    tracing::warn!(%error, "the users module says nothing about keys and revocations");
                }
                Err(_) => {}
            }
            let next = asked.saturating_add(EVERY).unwrap_or(Timestamp::MAX);
            if stop.run_until_cancelled(self.clock.sleep_until(next)).await.is_none() {
                return;
            }
        }
    }

    /// Learns what is new, unless somebody else has since `asked`.
    ///
    /// # Errors
    /// That of [`Users::trust`].
    pub async fn renew(&self, asked: Timestamp) -> Result<(), ApiError> {
        self.renew_unless(|as_of| as_of > asked).await
    }

    /// Learns what is new, unless what is known by then is `enough`. One asks for all; where the users
    /// module does not answer, those who come after the first learn it at once.
    async fn renew_unless(&self, enough: impl Fn(Timestamp) -> bool) -> Result<(), ApiError> {
        let _turn = match self.renewing.try_lock() {
            Ok(turn) => turn,
            Err(_) => match self.failure() {
                // Somebody is finding out whether that has changed.
                Some((_, error)) => return Err(error),
                None => self.renewing.lock().await,
            },
        };
        if self.known().as_of.is_some_and(enough) {
            return Ok(());
        }
        if let Some(error) = self.failed_lately() {
            return Err(error);
        }
        self.ask().await
    }

    /// Asks whether what failed still does, however lately that was; one asks for all.
    async fn look_again(&self) -> Result<(), ApiError> {
        let Some((_, error)) = self.failure() else {
            // Nothing but the first question of all may be without an answer yet.
            return self.renew_unless(|_| true).await;
        };
        let Ok(_turn) = self.renewing.try_lock() else { return Err(error) };
        self.ask().await
    }

    /// Learns what is new, and remembers how that went; to be called by who has the turn.
    async fn ask(&self) -> Result<(), ApiError> {
        let outcome = self.learn().await;
        let failed = outcome.as_ref().err().map(|error| (self.clock.now(), error.clone()));
        *self.failed.write().unwrap_or_else(PoisonError::into_inner) = failed;
        outcome
    }

    /// Asks until there is nothing new, so that what is known is never a part of it.
    async fn learn(&self) -> Result<(), ApiError> {
        let begun = self.clock.now();
        loop {
            let position = self.known().position;
            let news = self.users.trust(position).await?;
            let goes_on = news.more && news.position > position;
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            let all_there = known.learn(news, begun);
            if !goes_on {
                known.as_of = Some(begun);
            }
            drop(known);
            if !all_there {
                // What it signed is not to be believed any more; the generation says so, this saves room.
                self.cache.invalidate_all();
            }
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn failure(&self) -> Option<(Timestamp, ApiError)> {
        self.failed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What came of the last question, if that failed a moment ago.
    fn failed_lately(&self) -> Option<ApiError> {
        let (at, error) = self.failure()?;
        let moment = SignedDuration::ZERO..EVERY;
        moment.contains(&self.clock.now().duration_since(at)).then_some(error)
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news where those that there are have become too old.
    async fn catch_up(&self, now: Timestamp) -> Result<(), ApiError> {
        let enough = |as_of| now.duration_since(as_of).unsigned_abs() <= self.options.patience;
        if self.known().as_of.is_some_and(enough) {
            return Ok(());
        }
        self.renew_unless(enough).await
    }

    /// Whose `credential` this is, by its own account, and in which generation that was found.
    async fn identify(&self, credential: &Credential, now: Timestamp) -> Result<(Identity, u64), ApiError> {
        if credential.expose().starts_with(KEY_PREFIX) {
            let generation = self.known().generation;
            if let Some(error) = self.failed_lately() {
                // Whoever asks now would wait as long as the last one did, for the same answer.
                return Err(error);
            }
            return Ok((self.users.identify(credential).await?, generation));
        }
        let read = |verifier: &Self| {
            let known = verifier.known();
            let identity = known.keys.read(credential.expose(), &self.options.rules, now)?;
            Ok((identity, known.generation))
        };
        let mut identity = read(self);
        let renewed_lately = self
            .known()
            .as_of
            .is_some_and(|as_of| now.duration_since(as_of) < SignedDuration::from_millis(100));
        if matches!(identity, Err(BadToken::UnknownKey)) && !renewed_lately {
            // Made out with a key of the last second.
            self.renew(now).await?;
            identity = read(self);
        }
        identity.map_err(|bad| ApiError::new(Code::Unauthorized, bad.to_string()))
    }
}

impl Known {
    /// Takes in what is new; false if a key that verified tokens does so no more.
    fn learn(&mut self, news: Trust, now: Timestamp) -> bool {
        // A store that was put back to an earlier state counts anew.
        let position = if news.position < self.position { 0 } else { news.position };
        let keys = VerifyingKeys::new(&news.signing_keys);
        let all_there = self.keys.are_all_in(&keys);
        self.keys = keys;
        self.roles = news.roles.into_iter().map(|role| (role.name.clone(), role)).collect();
        self.revoked.retain(|_, revocation| revocation.expires_at > now);
        for revocation in news.revocations {
            self.revoked.insert(revocation.subject, revocation);
        }
        self.position = position;
        self.generation += u64::from(!all_there);
        all_there
    }

    /// The principal of a credential that was checked before, if the key that it was checked with is one
    /// to believe yet.
    fn admit_again(&self, remembered: &Remembered, now: Timestamp) -> Result<Principal, Refused> {
        if remembered.generation != self.generation {
            return Err(Refused::Outdated);
        }
        self.admit(&remembered.identity, now)
    }

    /// The principal that `identity` is at the moment.
    fn admit(&self, identity: &Identity, now: Timestamp) -> Result<Principal, Refused> {
        let credential = match identity.credential {
            Presented::Key(id) => id.uuid(),
            Presented::Session(id) => id.uuid(),
        };
        if identity.expires_at.is_some_and(|end| end <= now) || self.revoked.contains_key(&credential) {
            return Err(Refused::Ended);
        }
        match self.revoked.get(&identity.user_id.uuid()) {
            Some(Revocation { epoch: None, .. }) => return Err(Refused::Ended),
            Some(Revocation { epoch: Some(epoch), .. }) if identity.epoch < *epoch => {
                return Err(Refused::Outdated);
            }
            _ => {}
        }
        // A role that is gone permits nothing.
        let role = self.roles.get(&identity.role).ok_or(Refused::Ended)?;
        let scopes = match &identity.scopes {
            Some(scopes) => scopes.intersection(&role.permissions).copied().collect(),
            None => role.permissions.clone(),
        };
        Ok(Principal {
            user_id: identity.user_id,
            name: identity.name.clone(),
            role: identity.role.clone(),
            reach: role.reach,
            institution: identity.institution.clone(),
            credential: identity.credential,
            scopes,
        })
    }
}

#[async_trait]
impl Authenticator for Verifier {
    async fn authenticate(&self, credential: &Credential) -> Result<Principal, ApiError> {
        let now = self.clock.now();
        self.catch_up(now).await?;
        let hash: [u8; 32] = Sha256::digest(credential.expose().as_bytes()).into();
        if let Some(remembered) = self.cache.get(&hash) {
            match self.known().admit_again(&remembered, now) {
                Ok(principal) => return Ok(principal),
                Err(_) => self.cache.invalidate(&hash),
            }
        }
        let (identity, generation) = self.identify(credential, now).await?;
        let principal = self.known().admit(&identity, now).map_err(|refused| {
            let detail = match refused {
                Refused::Outdated => "what this account may do has changed: refresh the access token",
                Refused::Ended => "this credential has been revoked or has expired",
            };
            ApiError::new(Code::Unauthorized, detail)
        })?;
        self.cache.insert(hash, Arc::new(Remembered { identity, generation }));
        Ok(principal)
    }
}

#[async_trait]
impl Probe for Verifier {
    /// Whether whoever comes now is told apart. What failed is tried again first, so that a role is not
    /// said to be ready while it refuses people for the trouble of a moment ago.
    async fn health(&self) -> Health {
        let check = match tokio::time::timeout(LOOK, self.look_again()).await {
            Ok(Ok(())) => Check::up(),
            Ok(Err(error)) => Check::down(error.detail()),
            Err(_) => Check::down(format!("the users module said nothing within {LOOK:?}")),
        };
        Health::of([("trust".to_owned(), check)])
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
