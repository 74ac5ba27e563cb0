//! Sessions: opened, listed, ended.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, DateTime, Document, doc};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::document::{read_hash, when};
use super::query::Query;
use super::{MongoUsers, SESSIONS, USERS, audit, refresh, trust};
use crate::kit::ids::{SessionId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{self, Binary16, Transaction, binary, id, instant, micros, uuid};
use crate::users::account::Status;
use crate::users::store::{
    EndSessions, Hash, NETWORKS_KNOWN_FOR, NewSession, Rotate, Rotation, Session, SessionRecord,
    SessionStore, TradedToken,
};

/// Sessions that are listed at most.
const LISTED: i64 = 1000;

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    pub(super) id: Binary16,
    pub(super) user: Binary16,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    method: String,
    pub(super) created_at: i64,
    last_seen_at: i64,
    pub(super) expires_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Binary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous: Option<Traded>,
    pub(super) gone_at: DateTime,
}

/// A refresh token that was traded for the current one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Traded {
    pub(super) hash: Binary,
    pub(super) used_at: i64,
    pub(super) salt: Binary,
}

impl Kept {
    pub(super) fn record(self, epoch: u64) -> Result<SessionRecord, Error> {
        let previous = self.previous.as_ref().map(|traded| {
            let (hash, salt) = (read_hash(&traded.hash)?, read_hash(&traded.salt)?);
            Ok::<_, Error>(TradedToken { hash, used_at: instant(traded.used_at)?, salt })
        });
        Ok(SessionRecord {
            user: id(self.user),
            epoch,
            network: self.network.clone(),
            ended_at: when(self.ended_at)?,
            ended_by: self.ended_by.clone(),
            current: self.current.as_ref().map(read_hash).transpose()?,
            previous: previous.transpose()?,
            session: self.session()?,
        })
    }

    pub(super) fn of_record(of: &SessionRecord) -> Self {
        let session = &of.session;
        let traded = |traded: &TradedToken| Traded {
            hash: binary(&traded.hash),
            used_at: micros(traded.used_at),
            salt: binary(&traded.salt),
        };
        Self {
            id: uuid(session.id.uuid()),
            user: uuid(of.user.uuid()),
            device: session.device.clone(),
            address: session.address.clone(),
            network: of.network.clone(),
            method: session.method.clone(),
            created_at: micros(session.created_at),
            last_seen_at: micros(session.last_seen_at),
            expires_at: micros(session.expires_at),
            ended_at: of.ended_at.map(micros),
            ended_by: of.ended_by.clone(),
            current: of.current.as_ref().map(|hash| binary(hash)),
            previous: of.previous.as_ref().map(traded),
            gone_at: forgotten(session.expires_at, session.last_seen_at),
        }
    }

    fn session(self) -> Result<Session, Error> {
        Ok(Session {
            id: id(self.id),
            device: self.device,
            address: self.address,
            method: self.method,
            created_at: instant(self.created_at)?,
            last_seen_at: instant(self.last_seen_at)?,
            expires_at: instant(self.expires_at)?,
        })
    }
}

/// When a session is forgotten that ends then and was seen last then: it says for a while which networks
/// its owner uses.
pub(super) fn forgotten(expires_at: Timestamp, seen: Timestamp) -> DateTime {
    let known = seen.saturating_add(NETWORKS_KNOWN_FOR).unwrap_or(Timestamp::MAX);
    DateTime::from_millis(expires_at.max(known).as_millisecond())
}

/// The sessions that somebody has.
pub(super) fn open(user: UserId, now: Timestamp) -> Query {
    let open = doc! {
        "user": uuid(user.uuid()),
        "ended_at": null,
        "expires_at": { "$gt": micros(now) },
    };
    Query::of(SESSIONS, "sessions_user", open).sorted(doc! { "created_at": -1, "_id": -1 }).limit(LISTED)
}

/// Sessions of somebody's from a network.
pub(super) fn from_network(user: UserId, network: &str, since: Timestamp) -> Query {
    let seen = doc! {
        "user": uuid(user.uuid()),
        "network": network,
        "last_seen_at": { "$gte": micros(since) },
    };
    Query::of(SESSIONS, "sessions_network", seen).limit(1)
}

/// Somebody's sessions that are not ended: `only` one, or all but the one to `keep`.
pub(super) fn not_ended(user: UserId, only: Option<SessionId>, keep: Option<SessionId>) -> Query {
    let mut filter = doc! { "user": uuid(user.uuid()), "ended_at": null };
    if let Some(only) = only {
        filter.insert("_id", uuid(only.uuid()));
    }
    if let Some(keep) = keep {
        filter.insert("_id", doc! { "$ne": uuid(keep.uuid()) });
    }
    Query::of(SESSIONS, "sessions_user", filter)
}

#[async_trait]
impl SessionStore for MongoUsers {
    async fn open_session(&self, session: NewSession) -> Result<bool, StorageError> {
        self.transact(&session).await
    }

    async fn refreshed_by(&self, refresh: &Hash) -> Result<Option<SessionId>, StorageError> {
        refresh::made_for(self, refresh).await
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotation, StorageError> {
        refresh::rotate(self, &rotate).await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let found: Vec<Kept> = open(user, now).all(self).await?;
        self.read(found.into_iter().map(Kept::session).collect())
    }

    async fn end_sessions(&self, end: EndSessions) -> Result<u64, StorageError> {
        self.transact(&end).await
    }

    async fn knows_network(
        &self,
        user: UserId,
        network: &str,
        since: Timestamp,
    ) -> Result<bool, StorageError> {
        Ok(from_network(user, network, since).one::<Document>(self).await?.is_some())
    }
}

#[async_trait]
impl Transaction for NewSession {
    type Outcome = bool;

    async fn run(&self, session: &mut mongo::Session) -> Result<bool, Error> {
        let at = micros(self.at);
        // Written, so that who changes the account meanwhile finds this session, or this finds the change.
        let as_checked = doc! {
            "_id": uuid(self.user.uuid()),
            "epoch": self.epoch.cast_signed(),
            "status": Status::Active.as_str(),
        };
        let seen =
            doc! { "q": as_checked, "u": { "$set": { "last_active_at": at }, "$inc": { "guard": 1_i64 } } };
        if session.update(USERS, vec![seen]).await?.matched == 0 {
            return Ok(false);
        }
        let kept = Kept {
            id: uuid(self.id.uuid()),
            user: uuid(self.user.uuid()),
            device: self.device.clone(),
            address: self.address.clone(),
            network: self.network.clone(),
            method: self.method.clone(),
            created_at: at,
            last_seen_at: at,
            expires_at: micros(self.expires_at),
            ended_at: None,
            ended_by: None,
            current: Some(binary(&self.refresh)),
            previous: None,
            gone_at: forgotten(self.expires_at, self.at),
        };
        session.insert(SESSIONS, &[kept]).await?;
        audit::write(session, &self.trail).await?;
        Ok(true)
    }
}

#[async_trait]
impl Transaction for EndSessions {
    type Outcome = u64;

    async fn run(&self, session: &mut mongo::Session) -> Result<u64, Error> {
        let (only, keep) = self.which.only_and_kept();
        let ended = end(session, self.user, only, keep, self.trail.action.as_str(), self.at).await?;
        if ended > 0 {
            audit::write(session, &self.trail.clone().with("sessions", ended)).await?;
        }
        Ok(ended)
    }
}

#[derive(Debug, Deserialize)]
struct Known {
    #[serde(rename = "_id")]
    id: Binary16,
}

/// Ends somebody's sessions (`only` one, or all but the one to `keep`) and has every service refuse
/// their tokens; answers how many.
pub(super) async fn end(
    session: &mut mongo::Session,
    user: UserId,
    only: Option<SessionId>,
    keep: Option<SessionId>,
    why: &str,
    at: Timestamp,
) -> Result<u64, Error> {
    let open: Vec<Known> = not_ended(user, only, keep).all_within(session).await?;
    if open.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Binary16> = open.into_iter().map(|known| known.id).collect();
    let ended = doc! {
        "q": { "_id": { "$in": &ids } },
        "u": { "$set": { "ended_at": micros(at), "ended_by": why } },
        "multi": true,
    };
    session.update(SESSIONS, vec![ended]).await?;
    let subjects: Vec<(Uuid, Option<u64>)> = ids.iter().map(|one| (id(*one), None)).collect();
    trust::revoke(session, &subjects, at).await?;
    Ok(subjects.len() as u64)
}
