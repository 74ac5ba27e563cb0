//! Accounts: looked up and added.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::doc;
use mongodb::error::Error;

use super::document::User;
use super::query::Query;
use super::{ERASED, MongoUsers, USERS, audit, erase, list};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Session, Transaction, micros, uuid};
use crate::users::account::{Account, Email};
use crate::users::store::{
    AccountPage, AccountQuery, AccountStats, AccountStore, Added, ChangeAccount, Changed, DueErasure,
    EraseAccount, Login, NewAccount, RemoveAccount, Within,
};

/// The account of an id that `within` covers; none where no account can be meant.
pub(super) fn covered(id: UserId, within: &Within) -> Option<Query> {
    let mut filter = doc! { "_id": uuid(id.uuid()) };
    match within {
        Within::Everyone => {}
        Within::Institution(name) => {
            filter.insert("institution", name);
        }
        Within::Only(user) if *user == id => {}
        Within::Only(_) => return None,
    }
    Some(Query::by_id(USERS, filter))
}

/// The same, as a transaction sees it.
pub(super) async fn find(session: &mut Session, id: UserId, within: &Within) -> Result<Option<User>, Error> {
    match covered(id, within) {
        Some(query) => query.one_within(session).await,
        None => Ok(None),
    }
}

pub(super) fn addressed(email: &Email) -> Query {
    Query::of(USERS, "users_email", doc! { "email_key": email.key() }).limit(1)
}

#[async_trait]
impl AccountStore for MongoUsers {
    async fn account(&self, id: UserId, within: &Within) -> Result<Option<Account>, StorageError> {
        let Some(query) = covered(id, within) else { return Ok(None) };
        let found: Option<User> = query.one(self).await?;
        self.read(found.map(User::account).transpose())
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Login>, StorageError> {
        let found: Option<User> = addressed(email).one(self).await?;
        self.read(found.map(User::login).transpose())
    }

    async fn login(&self, id: UserId) -> Result<Option<Login>, StorageError> {
        let found: Option<User> = Query::by_id(USERS, doc! { "_id": uuid(id.uuid()) }).one(self).await?;
        self.read(found.map(User::login).transpose())
    }

    async fn accounts(&self, query: AccountQuery) -> Result<AccountPage, StorageError> {
        list::page(self, &query).await
    }

    async fn account_stats(&self, within: &Within) -> Result<AccountStats, StorageError> {
        list::stats(self, within).await
    }

    async fn add_account(&self, account: NewAccount) -> Result<Added, StorageError> {
        self.transact(&account).await
    }

    async fn change_account(&self, change: ChangeAccount) -> Result<Changed, StorageError> {
        self.transact(&change).await
    }

    async fn touch_accounts(&self, seen: Vec<(UserId, Timestamp)>) -> Result<(), StorageError> {
        let touched: Vec<_> = seen
            .iter()
            .map(|(user, at)| {
                doc! {
                    "q": { "_id": uuid(user.uuid()) },
                    "u": { "$max": { "last_active_at": micros(*at) } },
                }
            })
            .collect();
        self.update_each(USERS, &touched).await
    }

    async fn erase_account(&self, erase: EraseAccount) -> Result<Changed, StorageError> {
        self.transact(&erase).await
    }

    async fn unverified(&self, before: Timestamp, limit: u32) -> Result<Vec<Account>, StorageError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let found: Vec<User> = list::unverified(before, limit).all(self).await?;
        self.read(found.into_iter().map(User::account).collect())
    }

    async fn remove_accounts(&self, remove: Vec<RemoveAccount>) -> Result<u64, StorageError> {
        let mut gone = 0;
        for account in &remove {
            gone += u64::from(self.transact(account).await?);
        }
        Ok(gone)
    }

    async fn due_erasures(&self, now: Timestamp, limit: u32) -> Result<Vec<DueErasure>, StorageError> {
        erase::due(self, now, limit).await
    }

    async fn settle_erasure(&self, user: UserId, due_again: Option<Timestamp>) -> Result<(), StorageError> {
        erase::settle(self, user, due_again).await
    }
}

#[async_trait]
impl Transaction for NewAccount {
    type Outcome = Added;

    async fn run(&self, session: &mut Session) -> Result<Added, Error> {
        let erased = Query::by_id(ERASED, doc! { "_id": uuid(self.id.uuid()) });
        if erased.any_within(session).await? || !session.insert_new(USERS, &User::new(self)).await? {
            return Ok(Added::EmailTaken);
        }
        audit::write(session, &self.trail).await?;
        Ok(Added::Done)
    }
}
