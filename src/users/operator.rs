//! What whoever runs the installation may do without logging in: for the first start, and when nobody
//! can. The right to it is the right to the files.
//!
//! Works on the store alone, so that it can be done beside a running server, which sees the change as
//! it sees those of other processes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::kit::auth::{Credential, Presented, Scope};
use crate::kit::error::ApiError;
use crate::kit::http::page::{Cursor, From, LARGEST_LIMIT, Page};
use crate::kit::ids::{KeyId, UserId};
use crate::kit::storage::StorageError;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::api::{Role, Users as _};
use crate::users::audit::{Action, Entry};
use crate::users::local::{LocalUsers, prefix};
use crate::users::password::Password;
use crate::users::registration::{name, own_words};
use crate::users::secret;
use crate::users::store::{
    AccountPage, AccountQuery, AccountSort, Added, Change, ChangeAccount, Changed, Key, NewAccount, NewKey,
    RevokeKey, SigningKey, Within,
};
use crate::users::verifier::KEY_PREFIX;

/// What passwords that are made up consist of: no two signs look alike.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The operator's room.
#[derive(Debug, Clone)]
pub struct Operator {
    users: LocalUsers,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It was asked for wrongly.
    #[error("{0}")]
    Wrong(String),
    /// The state of things does not permit it.
    #[error("{0}")]
    Impossible(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Something else did.
    #[error("{}", crate::kit::error::chain(.0))]
    Failed(#[from] ApiError),
}

/// A person to make an account for.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The role.
    pub role: String,
    /// The institution.
    pub institution: Option<String>,
    /// The password.
    pub password: SecretString,
}

/// Which accounts to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of the name or of the address.
    pub search: Option<String>,
    /// Their role.
    pub role: Option<String>,
    /// How they stand.
    pub status: Option<Status>,
}

impl Operator {
    /// The operator of this installation.
    pub fn of(users: LocalUsers) -> Self {
        Self { users }
    }

    /// The account of an id or an e-mail address.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn find(&self, who: &str) -> Result<Account, Refusal> {
        let found = match (who.parse::<UserId>(), Email::parse(who)) {
            (Ok(id), _) => self.users.store.account(id, &Within::Everyone).await?,
            (_, Ok(email)) => self.users.store.by_email(&email).await?.map(|login| login.account),
            _ => return Err(Refusal::Wrong(format!("`{who}` is neither an id nor an e-mail address"))),
        };
        found.ok_or_else(|| Refusal::Impossible(format!("there is no account `{who}`")))
    }

    /// A page of accounts, latest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn accounts(&self, filter: &Filter, after: Option<Cursor>) -> Result<AccountPage, Refusal> {
        let query = AccountQuery {
            within: Within::Everyone,
            search: filter.search.clone(),
            role: filter.role.clone(),
            status: filter.status,
            institution: None,
            sort: AccountSort::Newest,
            page: Page { limit: LARGEST_LIMIT, from: after.map_or(From::Offset(0), From::After) },
        };
        Ok(self.users.store.accounts(query).await?)
    }

    /// Makes an account that can be used at once.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn create(&self, person: &NewPerson) -> Result<Account, Refusal> {
        let email =
            Email::parse(&person.email).map_err(|why| Refusal::Wrong(format!("the e-mail address {why}")))?;
        self.role(&person.role).await?;
        let password = fresh(&person.password, &person.name, email.as_str())?;
        let hash = self.users.passwords.hash(&password).await?;
        self.add(
            Kind::Person,
            &person.name,
            Some(email),
            Some(hash),
            &person.role,
            person.institution.clone(),
        )
        .await
    }

    /// The service of this name: the one that there is, or a new one with `role`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn service(&self, name: &str, role: &str) -> Result<Account, Refusal> {
        match self.find_service(name).await? {
            Some(account) => Ok(account),
            None => {
                self.role(role).await?;
                self.add(Kind::Service, name, None, None, role, None).await
            }
        }
    }

    /// The service of this name.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn find_service(&self, name: &str) -> Result<Option<Account>, Refusal> {
        let filter = Filter { search: Some(name.to_owned()), ..Filter::default() };
        let mut after = None;
        loop {
            let page = self.accounts(&filter, after).await?;
            let found = page
                .accounts
                .into_iter()
                .find(|account| account.kind == Kind::Service && account.name == name);
            if found.is_some() || page.next.is_none() {
                return Ok(found);
            }
            after = page.next;
        }
    }

    async fn add(
        &self,
        kind: Kind,
        called: &str,
        email: Option<Email>,
        password: Option<String>,
        role: &str,
        institution: Option<String>,
    ) -> Result<Account, Refusal> {
        let id: UserId = self.users.ids.fresh();
        let account = NewAccount {
            id,
            kind,
            name: name(called).map_err(|why| Refusal::Wrong(format!("the name {why}")))?,
            email,
            email_verified: false,
            password,
            status: Status::Active,
            role: role.to_owned(),
            institution: institution.clone(),
            at: self.users.clock.now(),
            trail: self.entry(Action::Create).on(id, institution.as_deref()),
        };
        match self.users.store.add_account(account).await? {
            Added::Done => self.find(&id.to_string()).await,
            Added::EmailTaken => {
                Err(Refusal::Impossible("that e-mail address has an account already".to_owned()))
            }
        }
    }

    /// Gives a role.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_role(&self, account: &Account, role: &str) -> Result<Account, Refusal> {
        self.role(role).await?;
        self.change(account, Change::Role(role.to_owned()), Action::SetRole).await
    }

    /// Sets how an account stands.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_status(&self, account: &Account, status: Status) -> Result<Account, Refusal> {
        self.change(account, Change::Status(status), Action::SetStatus).await
    }

    /// Sets a password, and ends all sessions.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn set_password(&self, account: &Account, password: &SecretString) -> Result<Account, Refusal> {
        if account.kind == Kind::Service {
            return Err(Refusal::Impossible(format!(
                "`{}` is a service: it has keys and no password",
                account.name
            )));
        }
        let password = fresh(password, &account.name, account.email.as_deref().unwrap_or_default())?;
        let hash = self.users.passwords.hash(&password).await?;
        self.change(account, Change::Password { hash, keep: None }, Action::ResetPassword).await
    }

    /// A password that nobody guesses: 100 random bits.
    pub fn made_up_password(&self) -> SecretString {
        let bytes: [u8; 20] = self.users.ids.entropy().bytes();
        let signs: Vec<char> = bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect();
        let groups: Vec<String> = signs.chunks(5).map(|group| group.iter().collect()).collect();
        groups.join("-").into()
    }

    async fn change(&self, account: &Account, change: Change, action: Action) -> Result<Account, Refusal> {
        let trail = self.entry(action).on(account.id, account.institution.as_deref());
        let at = self.users.clock.now();
        let change =
            ChangeAccount { id: account.id, within: Within::Everyone, if_version: None, change, at, trail };
        let why = match self.users.store.change_account(change).await? {
            Changed::Done(account) => return Ok(*account),
            Changed::LastAdmin => {
                "this is the last active administrator: give somebody else the role `admin` first"
            }
            Changed::Missing | Changed::Stale => "the account was changed or removed meanwhile: look again",
            Changed::NoSuchRole => "there is no such role",
        };
        Err(Refusal::Impossible(why.to_owned()))
    }

    async fn role(&self, name: &str) -> Result<Role, Refusal> {
        let roles = self.users.store.roles().await?;
        let names = roles.iter().map(|role| format!("`{}`", role.name)).collect::<Vec<_>>().join(", ");
        roles
            .into_iter()
            .find(|role| role.name == name)
            .ok_or_else(|| Refusal::Wrong(format!("there is no role `{name}`\n  fix: use one of {names}")))
    }

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
            trail: self
                .entry(Action::CreateKey)
                .on(account.id, account.institution.as_deref())
                .with("key", id.to_string()),
        };
        self.users.store.add_key(new).await?;
        Ok((id, key))
    }

    /// The keys of an account, latest first.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn keys(&self, account: &Account) -> Result<Vec<Key>, Refusal> {
        Ok(self.users.store.keys(account.id).await?)
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
            (self.owner_of(id).await?.ok_or_else(unknown)?, id)
        };
        let trail = self.entry(Action::RevokeKey).on(account.id, account.institution.as_deref());
        let trail = trail.with("key", id.to_string());
        let revoke = RevokeKey { user: account.id, id, at: self.users.clock.now(), trail };
        if self.users.store.revoke_key(revoke).await? { Ok(()) } else { Err(unknown()) }
    }

    /// Whose key it is. Looks through all accounts: it is asked for in emergencies.
    async fn owner_of(&self, id: KeyId) -> Result<Option<Account>, Refusal> {
        let mut after = None;
        loop {
            let page = self.accounts(&Filter::default(), after).await?;
            for account in page.accounts {
                if self.keys(&account).await?.iter().any(|key| key.id == id) {
                    return Ok(Some(account));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    /// Makes a new key to sign access tokens with; `at_once` refuses all tokens that others signed.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn rotate_signing_key(&self, at_once: bool) -> Result<(), Refusal> {
        Ok(self.users.signer.rotate(at_once).await?)
    }

    /// The keys that verify access tokens, by the time from which they sign; and now.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn signing_keys(&self) -> Result<(Vec<SigningKey>, Timestamp), Refusal> {
        let now = self.users.clock.now();
        Ok((self.users.store.signing_keys(now).await?, now))
    }

    /// Flushes what was changed.
    pub async fn close(&self) {
        self.users.store.close().await;
    }

    fn entry(&self, action: Action) -> Entry {
        self.users.scribe.entry(action).with("by", "command line")
    }
}

fn fresh(password: &SecretString, name: &str, email: &str) -> Result<Password, Refusal> {
    use secrecy::ExposeSecret as _;
    Password::fresh(password.expose_secret(), &own_words(name, email))
        .map_err(|why| Refusal::Wrong(format!("the password {why}")))
}

#[cfg(test)]
mod tests;
