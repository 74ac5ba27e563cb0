//! What whoever runs the installation may do without logging in: for the first start, and when nobody
//! can. The right to it is the right to the files.
//!
//! Works on the store alone, so that it can be done beside a running server, which sees the change as
//! it sees those of other processes.

mod keys;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::kit::error::ApiError;
use crate::kit::http::page::{Cursor, From, LARGEST_LIMIT, Page};
use crate::kit::ids::{Entropy, UserId};
use crate::kit::storage::StorageError;
use crate::users::account::{Account, Email, Kind, Status};
use crate::users::api::Role;
use crate::users::audit::{Action, Entry};
use crate::users::local::LocalUsers;
use crate::users::local::access::password::Password;
use crate::users::local::access::registration::{name, own_words};
use crate::users::local::administration::description;
use crate::users::store::{
    AccountPage, AccountQuery, AccountSort, Added, Change, ChangeAccount, Changed, NewAccount, SigningKey,
    Within,
};

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

impl NewPerson {
    /// Whether there can be such an account at all, as far as that can be told without a store.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self) -> Result<(), Refusal> {
        self.read().map(drop)
    }

    fn read(&self) -> Result<(Email, Password), Refusal> {
        name(&self.name).map_err(|why| Refusal::Wrong(format!("the name {why}")))?;
        let email =
            Email::parse(&self.email).map_err(|why| Refusal::Wrong(format!("the e-mail address {why}")))?;
        let password = fresh(&self.password, &self.name, email.as_str())?;
        Ok((email, password))
    }
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
        let (email, password) = person.read()?;
        self.role(&person.role).await?;
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
        if let Some(account) = self.find_service(name).await? {
            return Ok(account);
        }
        self.role(role).await?;
        self.add(Kind::Service, name, None, None, role, None).await
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
        let institution = institution.map(|text| description::name("institution", text)).transpose();
        let institution = institution.map_err(|error| {
            let why = error.fields().first().map(|field| field.message.clone()).unwrap_or_default();
            Refusal::Wrong(format!("the institution {why}"))
        })?;
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
    /// [`Refusal`]; also for `pending`, which whoever registers next with the address would take over.
    pub async fn set_status(&self, account: &Account, status: Status) -> Result<Account, Refusal> {
        if status == Status::Pending {
            let why = "`pending` is what an account is until its address is verified\n  fix: use `inactive` or `suspended`";
            return Err(Refusal::Wrong(why.to_owned()));
        }
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

    /// Takes the second factor and the passkeys off, and ends all sessions.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn reset_second_factor(&self, account: &Account) -> Result<Account, Refusal> {
        if !account.second_factor && self.users.store.passkeys(account.id).await?.is_empty() {
            return Err(Refusal::Impossible(format!(
                "{} has neither a second factor nor a passkey",
                account.name
            )));
        }
        self.change(account, Change::ResetSecondFactor, Action::ResetSecondFactor).await
    }

    async fn change(&self, account: &Account, change: Change, action: Action) -> Result<Account, Refusal> {
        let trail = self.entry(action).on(account.id, account.institution.as_deref());
        let at = self.users.clock.now();
        let change =
            ChangeAccount { id: account.id, within: Within::Everyone, if_version: None, change, at, trail };
        let why = match self.users.store.change_account(change).await? {
            Changed::Done(account) => return Ok(*account),
            Changed::LastAdmin if matches!(action, Action::ResetSecondFactor) => {
                "the last active administrator would have no way in\n  fix: set a password first, with `voicera user reset-password`"
            }
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

/// A password that nobody guesses: 100 random bits.
pub fn made_up_password(entropy: &Entropy) -> SecretString {
    let bytes: [u8; 20] = entropy.bytes();
    let signs: Vec<char> = bytes.iter().map(|byte| char::from(SIGNS[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = signs.chunks(5).map(|group| group.iter().collect()).collect();
    groups.join("-").into()
}

fn fresh(password: &SecretString, name: &str, email: &str) -> Result<Password, Refusal> {
    use secrecy::ExposeSecret as _;
    Password::fresh(password.expose_secret(), &own_words(name, email))
        .map_err(|why| Refusal::Wrong(format!("the password {why}")))
}

#[cfg(test)]
mod tests;
