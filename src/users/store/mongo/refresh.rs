//! Refresh tokens, traded.
//!
//! A session names the token that is good and the one before, so that trading is the change of one
//! document that is as it was found: of many at once one is done, and the others see what came of it.
//! Earlier tokens are remembered beside it, before they are forgotten in it.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::Error;
use serde::Deserialize;

use super::document::{User, hash, read_hash};
use super::query::Query;
use super::sessions::{self, Kept, Traded};
use super::{MongoUsers, SESSIONS, SPENT, USERS, audit};
use crate::kit::ids::SessionId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{
    Binary16, Session, Transaction, binary, date, id, instant, is_duplicate, micros,
};
use crate::users::account::{Account, Status};
use crate::users::store::{Hash, Rotate, Rotation, SpentTokenRecord};

/// The session whose current token this is.
pub(super) fn by_current(refresh: &Hash) -> Query {
    Query::of(SESSIONS, "sessions_current", doc! { "current": hash(refresh) }).limit(1)
}

/// The session whose token before the current one this is.
pub(super) fn by_previous(refresh: &Hash) -> Query {
    Query::of(SESSIONS, "sessions_previous", doc! { "previous.hash": hash(refresh) }).limit(1)
}

/// A token from before that.
pub(super) fn spent(refresh: &Hash) -> Query {
    Query::by_id(SPENT, doc! { "_id": hash(refresh) })
}

#[derive(Debug, Deserialize)]
pub(super) struct Spent {
    #[serde(rename = "_id")]
    hash: Binary,
    session: Binary16,
}

impl Spent {
    pub(super) fn record(self) -> Result<SpentTokenRecord, Error> {
        Ok(SpentTokenRecord { hash: read_hash(&self.hash)?, session: id(self.session) })
    }
}

/// What a token is to its session.
enum Place {
    Current(Kept),
    Previous(Kept, Traded),
    Earlier(Kept),
}

/// The session of a token. Asked in the order in which a token grows old, so that one that is traded
/// meanwhile is found all the same.
async fn place(store: &MongoUsers, refresh: &Hash) -> Result<Option<Place>, StorageError> {
    if let Some(session) = by_current(refresh).one(store).await? {
        return Ok(Some(Place::Current(session)));
    }
    if let Some(session) = by_previous(refresh).one::<Kept>(store).await?
        && let Some(traded) = session.previous.clone()
    {
        return Ok(Some(Place::Previous(session, traded)));
    }
    let Some(Spent { session, .. }) = spent(refresh).one(store).await? else { return Ok(None) };
    let session = Query::by_id(SESSIONS, doc! { "_id": session }).one(store).await?;
    Ok(session.map(Place::Earlier))
}

pub(super) async fn made_for(store: &MongoUsers, refresh: &Hash) -> Result<Option<SessionId>, StorageError> {
    let place = place(store, refresh).await?;
    Ok(place.map(|(Place::Current(session) | Place::Previous(session, _) | Place::Earlier(session))| {
        id(session.id)
    }))
}

pub(super) async fn rotate(store: &MongoUsers, rotate: &Rotate) -> Result<Rotation, StorageError> {
    loop {
        let Some(place) = place(store, &rotate.presented).await? else { return Ok(Rotation::Unknown) };
        let (Place::Current(session) | Place::Previous(session, _) | Place::Earlier(session)) = &place;
        let Some(account) = usable(store, session, rotate.at).await? else { return Ok(Rotation::Unknown) };
        let (session_id, account) = (id(session.id), Box::new(account));
        match place {
            Place::Current(session) => {
                if store.advance(rotate, &session).await? {
                    return Ok(Rotation::Next { session: session_id, account });
                }
                // Somebody has traded or ended it meanwhile: look again.
            }
            Place::Previous(_, traded) if is_fresh(store, rotate, &traded)? => {
                let salt = <[u8; 32]>::try_from(traded.salt.bytes);
                let salt =
                    salt.map_err(|_| Error::custom("a salt has another length than 32 bytes".to_owned()));
                return Ok(Rotation::Again { session: session_id, account, salt: store.read(salt)? });
            }
            Place::Previous(..) | Place::Earlier(_) => {
                let reused = Reused { rotate, session: session_id, account: &account };
                return store.transact(&reused).await;
            }
        }
    }
}

/// The account of a session, if both can be used.
async fn usable(store: &MongoUsers, session: &Kept, now: Timestamp) -> Result<Option<Account>, StorageError> {
    if session.ended_at.is_some() || session.expires_at <= micros(now) {
        return Ok(None);
    }
    let user: Option<User> = Query::by_id(USERS, doc! { "_id": session.user }).one(store).await?;
    let account = store.read(user.map(User::account).transpose())?;
    Ok(account.filter(|account| account.status == Status::Active))
}

fn is_fresh(store: &MongoUsers, rotate: &Rotate, traded: &Traded) -> Result<bool, StorageError> {
    let used_at = store.read(instant(traded.used_at))?;
    Ok(rotate.at.duration_since(used_at) <= rotate.grace)
}

impl MongoUsers {
    /// Makes the successor current; false if the session is another by now.
    async fn advance(&self, rotate: &Rotate, session: &Kept) -> Result<bool, StorageError> {
        let end = |from: Timestamp, span| from.saturating_add(span).unwrap_or(Timestamp::MAX);
        let latest = end(self.read(instant(session.created_at))?, rotate.longest);
        if let Some(previous) = &session.previous {
            self.remember(session, previous, latest).await?;
        }
        let expires_at = end(rotate.at, rotate.lifetime).min(latest);
        let mut set = doc! {
            "current": hash(&rotate.successor),
            "previous": {
                "hash": hash(&rotate.presented),
                "used_at": micros(rotate.at),
                "salt": binary(&rotate.salt),
            },
            "last_seen_at": micros(rotate.at),
            "expires_at": micros(expires_at),
            "gone_at": sessions::forgotten(expires_at, rotate.at),
        };
        set.extend(rotate.address.as_ref().map(|address| ("address".to_owned(), address.into())));
        set.extend(rotate.network.as_ref().map(|network| ("network".to_owned(), network.into())));
        let as_found = doc! { "_id": session.id, "current": hash(&rotate.presented), "ended_at": null };
        let sessions = self.mongo.collection::<Document>(SESSIONS);
        let changed =
            self.mongo.run(async { sessions.update_one(as_found, doc! { "$set": set }).await }).await?;
        if changed.matched_count == 0 {
            return Ok(false);
        }
        let users = self.mongo.collection::<Document>(USERS);
        let seen = doc! { "$max": { "last_active_at": micros(rotate.at) } };
        self.mongo.run(async { users.update_one(doc! { "_id": session.user }, seen).await }).await?;
        Ok(true)
    }

    /// Remembers that a token was used, for as long as its session can last.
    async fn remember(&self, session: &Kept, used: &Traded, latest: Timestamp) -> Result<(), StorageError> {
        let spent = self.mongo.collection::<Document>(SPENT);
        let token = doc! { "session": session.id, "user": session.user, "gone_at": date(latest) };
        let remembered = async {
            let known = doc! { "_id": used.hash.clone() };
            match spent.update_one(known, doc! { "$setOnInsert": token }).upsert(true).await {
                Err(error) if !is_duplicate(&error) => Err(error),
                _ => Ok(()),
            }
        };
        self.mongo.run(remembered).await
    }
}

/// A token that had been used: its session is over.
struct Reused<'a> {
    rotate: &'a Rotate,
    session: SessionId,
    account: &'a Account,
}

#[async_trait]
impl Transaction for Reused<'_> {
    type Outcome = Rotation;

    async fn run(&self, session: &mut Session) -> Result<Rotation, Error> {
        let (rotate, account) = (self.rotate, self.account);
        let why = rotate.reuse.action.as_str();
        let ended = sessions::end(session, account.id, Some(self.session), None, why, rotate.at).await?;
        if ended == 0 {
            return Ok(Rotation::Unknown);
        }
        let trail = rotate.reuse.clone().on(account.id, account.institution.as_deref());
        audit::write(session, &trail.with("session", self.session.to_string())).await?;
        Ok(Rotation::Reused)
    }
}
