//! API keys, made and revoked by the operator.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{Operator, Refusal};
use crate::kit::auth::{Credential, Presented, Scope};
use crate::kit::ids::KeyId;
use crate::users::account::Account;
use crate::users::api::Users as _;
use crate::users::audit::Action;
use crate::users::local::access::registration::name;
use crate::users::local::administration::keyring;
use crate::users::local::prefix;
use crate::users::local::secret;
use crate::users::store::{AddedKey, Key, NewKey, RevokeKey};
use crate::users::verifier::KEY_PREFIX;

impl Operator {
    /// Makes a key; it is nowhere else in clear. Without scopes it is good for whatever the role of
    /// the account permits.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn create_key(
        &self,
        account: &Account,
        called: &str,
        scopes: Option<BTreeSet<Scope>>,
        expires_in: Option<SignedDuration>,
    ) -> Result<(KeyId, SecretString), Refusal> {
        let role = self.role(&account.role).await?;
        if let Some(beyond) = scopes.iter().flatten().find(|scope| !role.permissions.contains(scope)) {
            return Err(Refusal::Impossible(format!(
                "the role `{}` of {} does not permit `{beyond}`\n  fix: give it another role first, with `voicera user set-role`",
                role.name, account.name
            )));
        }
        let (id, key) = (self.users.ids.fresh(), secret::fresh(KEY_PREFIX, self.users.ids.entropy()));
        let at = self.users.clock.now();
        let new = NewKey {
            id,
            user: account.id,
            name: name(called).map_err(|why| Refusal::Wrong(format!("the key's name {why}")))?,
            prefix: prefix(&key),
            hash: secret::hash(&key),
            scopes,
            at,
            expires_at: expires_in.map(|span| at.saturating_add(span).unwrap_or(Timestamp::MAX)),
            most: keyring::MOST,
            trail: self
                .entry(Action::CreateKey)
                .on(account.id, account.institution.as_deref())
                .with("key", id.to_string()),
        };
        match self.users.store.add_key(new).await? {
            AddedKey::Done => Ok((id, key)),
            AddedKey::TooMany => Err(Refusal::Impossible(keyring::too_many())),
            AddedKey::Known | AddedKey::NoAccount => {
                Err(Refusal::Impossible("the account was removed meanwhile: look again".to_owned()))
            }
        }
    }

    /// The keys of an account, latest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn keys(&self, account: &Account) -> Result<Vec<Key>, Refusal> {
        Ok(keyring::all_of(self.users.store.as_ref(), account.id).await?)
    }

    /// Revokes a key by its id or by itself, whosever it is.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn revoke_key(&self, key: &str) -> Result<(), Refusal> {
        let unknown = || Refusal::Impossible("there is no such key, or it is not good any more".to_owned());
        let (account, id) = if key.starts_with(KEY_PREFIX) {
            let identity = self.users.identify(&Credential::new(key)).await.map_err(|_| unknown())?;
            let Presented::Key(id) = identity.credential else { return Err(unknown()) };
            (self.find(&identity.user_id.to_string()).await?, id)
        } else {
            let id: KeyId =
                key.parse().map_err(|_| Refusal::Wrong("give a key's id, or the key itself".to_owned()))?;
            let (owner, _) = self.users.store.key(id).await?.ok_or_else(unknown)?;
            (self.find(&owner.to_string()).await?, id)
        };
        let trail = self.entry(Action::RevokeKey).on(account.id, account.institution.as_deref());
        let trail = trail.with("key", id.to_string());
        let revoke = RevokeKey { user: account.id, id, at: self.users.clock.now(), trail };
        if self.users.store.revoke_key(revoke).await? { Ok(()) } else { Err(unknown()) }
    }
}
