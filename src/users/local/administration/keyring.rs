//! API keys: made for oneself or for an account that one looks after, shown once, revoked.
//!
//! A key is never good for more than the credential that made it, nor for more than its account's role.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::kit::auth::{Presented, Principal, Scope};
use crate::kit::clock::SharedClock;
use crate::kit::error::{ApiError, Code};
use crate::kit::http::page::{From, LARGEST_LIMIT, Page};
use crate::kit::ids::{Ids, KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::users::account::Account;
use crate::users::api::Role;
use crate::users::audit::{Action, Entry, Scribe};
use crate::users::local::administration::directory::Directory;
use crate::users::local::administration::{authority, description};
use crate::users::local::prefix;
use crate::users::local::secret;
use crate::users::store::{AddedKey, Key, KeyPage, NewKey, RevokeKey, UserStore, Within};
use crate::users::verifier::KEY_PREFIX;

/// Good keys that an account may have.
pub(super) const MOST: u32 = 100;
const LONGEST_NAME: usize = 100;
/// The longest that a key can be given; without an end it goes on until it is revoked.
const LONGEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// API keys.
#[derive(Debug)]
pub struct Keyring {
    pub(in crate::users) store: Arc<dyn UserStore>,
    pub(in crate::users) directory: Arc<Directory>,
    pub(in crate::users) scribe: Scribe,
    pub(in crate::users) clock: SharedClock,
    pub(in crate::users) ids: Ids,
}

/// A key that somebody wants.
#[derive(Debug)]
pub struct WantedKey {
    /// Its id, where the client has named what it makes: sent again, it is not made again.
    pub id: Option<KeyId>,
    /// For people.
    pub name: String,
    /// What it is to be good for; `None` for as much as possible.
    pub scopes: Option<BTreeSet<Scope>>,
    /// When it ends.
    pub ends: Ends,
}

/// When a key ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// Not at all.
    Never,
    /// So long from now.
    After(SignedDuration),
    /// Then.
    At(Timestamp),
}

/// A key that was made, and the secret that nobody sees again.
#[derive(Debug)]
pub struct MadeKey {
    /// The key.
    pub key: Key,
    /// What its owner presents.
    pub secret: SecretString,
}

impl Keyring {
    /// A page of an account's keys, latest first.
    ///
    /// # Errors
    /// 403 without `keys:write`, and for another's without `users:admin`; 404 where there is no account
    /// within reach.
    pub async fn list(&self, who: &Principal, of: UserId, page: Page) -> Result<KeyPage, ApiError> {
        let within = whose(who, of)?;
        self.store.account(of, &within).await?.ok_or_else(|| ApiError::not_found("account"))?;
        Ok(self.store.keys(of, page).await?)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// As [`Keyring::list`]; 403 for more than the caller has, or than the account's role permits; 409
    /// for too many keys; 422 for a name or an end that no key can have.
    pub async fn make(&self, who: &Principal, of: UserId, wanted: WantedKey) -> Result<MadeKey, ApiError> {
        let within = whose(who, of)?;
        let name = description::name("name", wanted.name)?;
        if name.chars().count() > LONGEST_NAME {
            return Err(ApiError::invalid("name", format!("must have at most {LONGEST_NAME} characters")));
        }
        if wanted.scopes.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(ApiError::invalid("scopes", "must have one at least, or be left out"));
        }
        let now = self.clock.now();
        let expires_at = self.no_longer_than(who, end(wanted.ends, now)?.map(kept)).await?;
        let trail = self.scribe.entry(Action::CreateKey).by(who);
        let (account, roles) = self.directory.in_hand(who, of, &within, &trail).await?;
        let trail = trail.on(of, account.institution.as_deref());
        let scopes = match scopes(who, &account, &roles, wanted.scopes) {
            Ok(scopes) => scopes,
            Err(refusal) => return Err(authority::refuse(self.store.as_ref(), trail, refusal).await),
        };
        let secret = secret::fresh(KEY_PREFIX, self.ids.entropy());
        let key = Key {
            id: wanted.id.unwrap_or_else(|| self.ids.fresh()),
            name,
            prefix: prefix(&secret),
            scopes,
            created_at: kept(now),
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.add(of, &key, &secret, trail.with("key", key.id.to_string())).await?;
        Ok(MadeKey { key, secret })
    }

    /// The end of a key that is made with a key: not after that one's own.
    async fn no_longer_than(
        &self,
        who: &Principal,
        wanted: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, ApiError> {
        let Presented::Key(id) = who.credential else { return Ok(wanted) };
        let own = self.store.key(id).await?;
        let latest = own.and_then(|(_, key)| key.expires_at);
        Ok(match (wanted, latest) {
            (Some(wanted), Some(latest)) => Some(wanted.min(latest)),
            (wanted, latest) => wanted.or(latest),
        })
    }

    async fn add(
        &self,
        user: UserId,
        key: &Key,
        secret: &SecretString,
        trail: Entry,
    ) -> Result<(), ApiError> {
        let new = NewKey {
            id: key.id,
            user,
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            hash: secret::hash(secret),
            scopes: key.scopes.clone(),
            at: key.created_at,
            expires_at: key.expires_at,
            most: MOST,
            trail: trail.clone(),
        };
        let detail = match self.store.add_key(new).await? {
            AddedKey::Done => {
                trail.log();
                return Ok(());
            }
            AddedKey::Known => {
                "this key was made before, and its secret was shown then: if that is lost, revoke the key and \
                 make another one"
                    .to_owned()
            }
            AddedKey::TooMany => too_many(),
            AddedKey::NoAccount => return Err(ApiError::not_found("account")),
        };
        Err(ApiError::new(Code::Conflict, detail))
    }

    /// Revokes a key; every service refuses it within seconds.
    ///
    /// # Errors
    /// As [`Keyring::list`]; 404 for a key that there is not, or not any more.
    pub async fn revoke(&self, who: &Principal, of: UserId, id: KeyId) -> Result<(), ApiError> {
        let within = whose(who, of)?;
        let trail = self.scribe.entry(Action::RevokeKey).by(who).with("key", id.to_string());
        let (account, _) = self.directory.in_hand(who, of, &within, &trail).await?;
        let trail = trail.on(of, account.institution.as_deref());
        let revoke = RevokeKey { user: of, id, at: self.clock.now(), trail: trail.clone() };
        if !self.store.revoke_key(revoke).await? {
            return Err(ApiError::not_found("key"));
        }
        trail.log();
        Ok(())
    }
}

/// What is said of an account that may have no further key.
pub(super) fn too_many() -> String {
    format!("this account has {MOST} keys, which is the most: revoke one first")
}

/// All keys of an account, latest first.
///
/// # Errors
/// The store's.
pub(super) async fn all_of(store: &dyn UserStore, user: UserId) -> Result<Vec<Key>, StorageError> {
    let (mut all, mut from) = (Vec::new(), From::Offset(0));
    loop {
        let page = store.keys(user, Page { limit: LARGEST_LIMIT, from }).await?;
        all.extend(page.keys);
        let Some(next) = page.next else { return Ok(all) };
        from = From::After(next);
    }
}

/// Whose keys the caller may see and change.
fn whose(who: &Principal, of: UserId) -> Result<Within, ApiError> {
    who.require(Scope::KeysWrite)?;
    if of == who.user_id {
        return Ok(Within::Only(of));
    }
    who.require(Scope::UsersAdmin)?;
    Ok(Within::reach_of(who))
}

/// What the key will be limited to; `None` for whatever the role permits at the time.
fn scopes(
    who: &Principal,
    account: &Account,
    roles: &[Role],
    wanted: Option<BTreeSet<Scope>>,
) -> Result<Option<BTreeSet<Scope>>, ApiError> {
    let permitted = authority::named(roles, &account.role).map(|role| role.permissions.clone());
    let permitted = permitted.unwrap_or_default();
    match wanted {
        Some(wanted) => {
            authority::has_all(who, &wanted)?;
            if let Some(beyond) = wanted.difference(&permitted).next() {
                let detail = format!("the account's role does not permit `{beyond}`");
                return Err(ApiError::new(Code::Forbidden, detail));
            }
            Ok(Some(wanted))
        }
        // The owner, logged in: the key goes with the role, whatever becomes of it.
        None if account.id == who.user_id && matches!(who.credential, Presented::Session(_)) => Ok(None),
        // Whoever makes a key for another sees its secret, and a key that makes a key may be narrower
        // than its account: neither may grow with the role.
        None => Ok(Some(permitted.intersection(&who.scopes).copied().collect())),
    }
}

/// An instant as it is kept, to the microsecond: a reply says what a later one will.
fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn end(ends: Ends, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let latest = now.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
    let (field, at) = match ends {
        Ends::Never => return Ok(None),
        Ends::After(span) => ("expiresIn", now.saturating_add(span).unwrap_or(Timestamp::MAX)),
        Ends::At(at) => ("expiresAt", at),
    };
    if at <= now || at > latest {
        return Err(ApiError::invalid(field, "must be in the future, and not more than ten years ahead"));
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests;
