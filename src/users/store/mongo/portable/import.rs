//! Records of another store taken over, some of them in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use mongodb::bson::{Bson, DateTime, Document, doc, serialize_to_document};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::document::{User, hash};
use super::super::query::Query;
use super::super::{
    AUDIT, ERASED, ERASURES, KEYS, MongoUsers, ONE_TIME, PASSKEYS, ROLES, SESSIONS, SIGNING_KEYS, SPENT,
    USERS, audit, keys, one_time, passkeys, roles, sessions, trust,
};
use super::{AT_ONCE, of_subjects, these, with_addresses};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, id, micros, uuid};
use crate::users::account::folded;
use crate::users::api::Revocation;
use crate::users::audit::Entry;
use crate::users::store::{
    AccountRecord, ErasedRecord, ErasureRecord, Record, RoleRecord, SessionRecord, SigningKeyRecord,
    SpentTokenRecord, TokenRecord, addresses_taken, role_differs,
};

pub(super) async fn import(store: &MongoUsers, records: Vec<Record>) -> Result<(), StorageError> {
    for some in records.chunks(AT_ONCE) {
        if let Some(detail) = store.transact(&Rooms::of(some)).await? {
            return Err(StorageError::Taken { place: store.mongo.place().clone(), detail });
        }
    }
    Ok(())
}

/// Records, room by room.
#[derive(Default)]
struct Rooms<'a> {
    roles: Vec<&'a RoleRecord>,
    signing_keys: Vec<&'a SigningKeyRecord>,
    accounts: Vec<&'a AccountRecord>,
    erased: Vec<&'a ErasedRecord>,
    sessions: Vec<&'a SessionRecord>,
    spent: Vec<&'a SpentTokenRecord>,
    invitations: Vec<&'a TokenRecord>,
    revocations: Vec<Revocation>,
    entries: Vec<&'a Entry>,
    erasures: Vec<&'a ErasureRecord>,
}

impl<'a> Rooms<'a> {
    fn of(records: &'a [Record]) -> Self {
        let mut rooms = Self::default();
        for record in records {
            match record {
                Record::Role(one) => rooms.roles.push(one),
                Record::SigningKey(one) => rooms.signing_keys.push(one),
                Record::Account(one) => rooms.accounts.push(one),
                Record::Erased(one) => rooms.erased.push(one),
                Record::Session(one) => rooms.sessions.push(one),
                Record::SpentToken(one) => rooms.spent.push(one),
                Record::Invitation(one) => rooms.invitations.push(one),
                Record::Revocation(_, one) => rooms.revocations.push(*one),
                Record::Entry(one) => rooms.entries.push(one),
                Record::Erasure(one) => rooms.erasures.push(one),
            }
        }
        rooms
    }
}

/// Answers what is in the way, and then nothing was taken over.
#[async_trait]
impl Transaction for Rooms<'_> {
    type Outcome = Option<String>;

    async fn run(&self, session: &mut Session) -> Result<Option<String>, Error> {
        let roles = match self.new_roles(session).await? {
            Ok(roles) => roles,
            Err(taken) => return Ok(Some(taken)),
        };
        let accounts = self.new_accounts(session).await?;
        if let Some(taken) = addresses(session, &accounts).await? {
            return Ok(Some(taken));
        }
        session.update(ROLES, roles).await?;
        if !self.signing_keys.is_empty() {
            trust::guard_keys(session).await?;
        }
        let keys = self.signing_keys.iter().map(|one| Ok(trust::document(&one.key, one.created_at)));
        add(session, SIGNING_KEYS, keys).await?;
        add_accounts(session, &accounts).await?;
        self.add_erased(session).await?;
        self.add_sessions(session).await?;
        self.add_spent(session).await?;
        let invitations = self.invitations.iter().map(|one| Ok(one_time::document(one, None)));
        add(session, ONE_TIME, invitations).await?;
        self.add_revocations(session).await?;
        let entries = self.entries.iter().map(|one| serialized(&audit::Written::of(one)?));
        add(session, AUDIT, entries).await?;
        let erasures = self.erasures.iter().map(|one| {
            let passes = i64::from(one.passes);
            Ok(doc! { "_id": uuid(one.user.uuid()), "due_at": micros(one.due_at), "passes": passes })
        });
        add(session, ERASURES, erasures).await?;
        Ok(None)
    }
}

impl Rooms<'_> {
    /// What makes the roles that are not there, or which one means something else there.
    async fn new_roles(&self, session: &mut Session) -> Result<Result<Vec<Document>, String>, Error> {
        let mut new = Vec::new();
        for one in &self.roles {
            let name = one.role.name.as_str();
            match roles::named(name).one_within::<roles::Kept>(session).await? {
                None => new.push(roles::put(&one.role, one.updated_at)?),
                Some(kept) => {
                    if !one.permits_as(&kept.role()?) {
                        return Ok(Err(role_differs(name)));
                    }
                }
            }
        }
        Ok(Ok(new))
    }

    /// The accounts whose ids are not there, and were not.
    async fn new_accounts(&self, session: &mut Session) -> Result<Vec<&AccountRecord>, Error> {
        let ids: Vec<Binary16> = self.accounts.iter().map(|one| uuid(one.account.id.uuid())).collect();
        let mut there = known(session, USERS, &ids).await?;
        there.extend(known(session, ERASED, &ids).await?);
        let new = self.accounts.iter().filter(|one| !there.contains(&one.account.id.uuid()));
        Ok(new.copied().collect())
    }

    async fn add_erased(&self, session: &mut Session) -> Result<(), Error> {
        let ids: Vec<Binary16> = self.erased.iter().map(|one| uuid(one.user.uuid())).collect();
        let there = known(session, USERS, &ids).await?;
        let gone = self.erased.iter().filter(|one| !there.contains(&one.user.uuid()));
        let gone = gone.map(|one| Ok(doc! { "_id": uuid(one.user.uuid()), "erased_at": micros(one.at) }));
        add(session, ERASED, gone).await
    }

    /// Only those whose account is as it was, and stays so until this is done.
    async fn add_sessions(&self, session: &mut Session) -> Result<(), Error> {
        if self.sessions.is_empty() {
            return Ok(());
        }
        let owners: Vec<Binary16> = self.sessions.iter().map(|one| uuid(one.user.uuid())).collect();
        let guarded = doc! {
            "q": { "_id": { "$in": &owners } },
            "u": { "$inc": { "guard": 1_i64 } },
            "multi": true,
        };
        session.update(USERS, vec![guarded]).await?;
        let users: Vec<User> = these(USERS, &owners).all_within(session).await?;
        let epochs: BTreeMap<Uuid, u64> = users.iter().map(|user| (id(user.id), user.epoch())).collect();
        let good = self.sessions.iter().filter(|one| epochs.get(&one.user.uuid()) == Some(&one.epoch));
        add(session, SESSIONS, good.map(|one| serialized(&sessions::Kept::of_record(one)))).await
    }

    /// Only those whose session is there, and for as long as that one.
    async fn add_spent(&self, session: &mut Session) -> Result<(), Error> {
        let of: Vec<Binary16> = self.spent.iter().map(|one| uuid(one.session.uuid())).collect();
        let there: Vec<Family> = all_within(session, these(SESSIONS, &of), &of).await?;
        let there: BTreeMap<Uuid, &Family> = there.iter().map(|one| (id(one.id), one)).collect();
        let spent = self.spent.iter().filter_map(|one| {
            let Family { id, user, gone_at } = there.get(&one.session.uuid())?;
            let token = hash(&one.hash);
            Some(Ok(doc! { "_id": token, "session": *id, "user": *user, "gone_at": *gone_at }))
        });
        add(session, SPENT, spent).await
    }

    /// At positions of this store's own, after all that were told before.
    async fn add_revocations(&self, session: &mut Session) -> Result<(), Error> {
        if self.revocations.is_empty() {
            return Ok(());
        }
        let subjects: Vec<Binary16> = self.revocations.iter().map(|one| uuid(one.subject)).collect();
        let told: Vec<trust::Kept> = of_subjects(&subjects).all_within(session).await?;
        let told = told.iter().map(|kept| kept.revocation().map(|one| (one.subject, one.epoch)));
        let told: BTreeSet<(Uuid, Option<u64>)> = told.collect::<Result<_, _>>()?;
        let new = self.revocations.iter().filter(|one| !told.contains(&(one.subject, one.epoch)));
        let new: Vec<Revocation> = new.copied().collect();
        if new.is_empty() { Ok(()) } else { trust::tell(session, &new).await }
    }
}

/// A session, as far as its tokens need it.
#[derive(Deserialize)]
struct Family {
    #[serde(rename = "_id")]
    id: Binary16,
    user: Binary16,
    gone_at: DateTime,
}

#[derive(Deserialize)]
struct Known {
    #[serde(rename = "_id")]
    id: Binary16,
}

#[derive(Deserialize)]
struct Addressed {
    email_key: String,
}

async fn all_within<T: for<'de> Deserialize<'de> + Send + Sync>(
    session: &mut Session,
    query: Query,
    of: &[Binary16],
) -> Result<Vec<T>, Error> {
    if of.is_empty() { Ok(Vec::new()) } else { query.all_within(session).await }
}

/// Those of the ids that are in a collection.
async fn known(
    session: &mut Session,
    collection: &'static str,
    ids: &[Binary16],
) -> Result<BTreeSet<Uuid>, Error> {
    let found: Vec<Known> = all_within(session, these(collection, ids), ids).await?;
    Ok(found.into_iter().map(|known| id(known.id)).collect())
}

/// Which addresses of these accounts others have.
async fn addresses(session: &mut Session, accounts: &[&AccountRecord]) -> Result<Option<String>, Error> {
    let emails: BTreeMap<String, &String> =
        accounts.iter().filter_map(|one| one.account.email.as_ref()).map(|one| (folded(one), one)).collect();
    if emails.is_empty() {
        return Ok(None);
    }
    let keys: Vec<String> = emails.keys().cloned().collect();
    let found: Vec<Addressed> = with_addresses(&keys).all_within(session).await?;
    let taken = found.iter().filter_map(|one| emails.get(&one.email_key)).map(|email| (*email).clone());
    let taken: Vec<String> = taken.collect();
    Ok((!taken.is_empty()).then(|| addresses_taken(&taken)))
}

async fn add_accounts(session: &mut Session, accounts: &[&AccountRecord]) -> Result<(), Error> {
    let users = accounts.iter().map(|one| User::of_record(one)).collect::<Result<Vec<_>, _>>()?;
    session.insert(USERS, &users).await?;
    let keys =
        accounts.iter().flat_map(|one| one.keys.iter().map(|key| keys::Kept::of_record(key, one.account.id)));
    session.insert(KEYS, &keys.collect::<Vec<_>>()).await?;
    let passkeys = accounts.iter().flat_map(|one| one.passkeys.iter().map(passkeys::Kept::of_record));
    session.insert(PASSKEYS, &passkeys.collect::<Vec<_>>()).await?;
    let tokens = accounts
        .iter()
        .flat_map(|one| one.tokens.iter().map(|token| one_time::document(token, Some(one.account.id))));
    session.insert(ONE_TIME, &tokens.collect::<Vec<_>>()).await.map(drop)
}

fn serialized<T: Serialize>(document: &T) -> Result<Document, Error> {
    Ok(serialize_to_document(document)?)
}

/// Adds documents whose ids are free; the others stay as they are.
async fn add(
    session: &mut Session,
    collection: &str,
    documents: impl Iterator<Item = Result<Document, Error>>,
) -> Result<(), Error> {
    let mut updates = Vec::new();
    for document in documents {
        let mut document = document?;
        let id = document.remove("_id").unwrap_or(Bson::Null);
        updates.push(doc! { "q": { "_id": id }, "u": { "$setOnInsert": document }, "upsert": true });
    }
    session.update(collection, updates).await.map(drop)
}
