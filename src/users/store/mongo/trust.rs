//! Signing keys and revocations.

use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::{Binary, Document, doc};
use mongodb::error::Error;
use serde::Deserialize;
use uuid::Uuid;

use super::document::{unsigned, when};
use super::query::Query;
use super::{COUNTERS, MongoUsers, REVOCATIONS, SIGNING_KEYS, audit, count};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Session, Transaction, binary, date, id, instant, micros, uuid};
use crate::users::api::Revocation;
use crate::users::store::{NewSigningKey, REMEMBERED, SigningKey, SigningKeyRecord, TrustStore};

/// The counter of revocations: where the last one stands. Whoever revokes moves it in the same
/// transaction, so positions are committed in their order, and none comes after a later one.
const POSITION: &str = "revocations";
/// What every transaction moves that adds a signing key.
const KEYS: &str = "signing_keys";

#[derive(Debug, Deserialize)]
pub(super) struct KeptKey {
    #[serde(rename = "_id")]
    kid: String,
    seed: Binary,
    public: Binary,
    created_at: i64,
    active_at: i64,
    expires_at: Option<i64>,
}

impl KeptKey {
    pub(super) fn record(self) -> Result<SigningKeyRecord, Error> {
        let created_at = instant(self.created_at)?;
        Ok(SigningKeyRecord { key: self.key()?, created_at })
    }

    fn key(self) -> Result<SigningKey, Error> {
        Ok(SigningKey {
            kid: self.kid,
            seed: self.seed.bytes,
            public: self.public.bytes,
            active_at: instant(self.active_at)?,
            expires_at: when(self.expires_at)?,
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Kept {
    #[serde(rename = "_id")]
    pub(super) position: i64,
    subject: Binary16,
    epoch: Option<i64>,
    expires_at: i64,
}

impl Kept {
    pub(super) fn revocation(&self) -> Result<Revocation, Error> {
        Ok(Revocation {
            subject: id(self.subject),
            epoch: self.epoch.map(unsigned),
            expires_at: instant(self.expires_at)?,
        })
    }
}

/// The signing keys that verify something yet.
pub(super) fn verifying(now: Timestamp) -> Query {
    let yet = doc! { "$or": [{ "expires_at": null }, { "expires_at": { "$gt": micros(now) } }] };
    Query::of(SIGNING_KEYS, "signing_keys_by_time", yet).sorted(doc! { "active_at": 1, "created_at": 1 })
}

/// Any signing key.
pub(super) fn any_key() -> Query {
    Query::of(SIGNING_KEYS, "_id_", doc! {}).limit(1)
}

/// What was revoked after a position.
pub(super) fn after(position: u64, limit: u32) -> Query {
    let later = doc! { "_id": { "$gt": position.cast_signed() } };
    Query::of(REVOCATIONS, "_id_", later).sorted(doc! { "_id": 1 }).limit(i64::from(limit))
}

#[async_trait]
impl TrustStore for MongoUsers {
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<SigningKey>, StorageError> {
        let found: Vec<KeptKey> = verifying(now).all(self).await?;
        self.read(found.into_iter().map(KeptKey::key).collect())
    }

    async fn add_signing_key(&self, key: NewSigningKey) -> Result<(), StorageError> {
        self.transact(&key).await
    }

    async fn revocations(&self, position: u64, limit: u32) -> Result<(Vec<Revocation>, u64), StorageError> {
        // The counter first: what comes in between is handed out twice rather than never.
        let counter: Option<Document> = Query::by_id(COUNTERS, doc! { "_id": POSITION }).one(self).await?;
        let counted = counter.and_then(|counter| counter.get_i64("value").ok()).unwrap_or(0);
        let found: Vec<Kept> = after(position, limit).all(self).await?;
        let last = found.last().map_or(counted, |last| last.position);
        let news = self.read(found.iter().map(Kept::revocation).collect())?;
        Ok((news, unsigned(last)))
    }
}

/// Has every service refuse the `subjects`: all of each, or what was made out before an epoch.
pub(super) async fn revoke(
    session: &mut Session,
    subjects: &[(Uuid, Option<u64>)],
    at: Timestamp,
) -> Result<(), Error> {
    let expires_at = at.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    let revoked =
        |(subject, epoch): &(Uuid, Option<u64>)| Revocation { subject: *subject, epoch: *epoch, expires_at };
    tell(session, &subjects.iter().map(revoked).collect::<Vec<_>>()).await
}

/// Puts revocations behind all others.
pub(super) async fn tell(session: &mut Session, revoked: &[Revocation]) -> Result<(), Error> {
    let many = i64::try_from(revoked.len()).map_err(Error::custom)?;
    let first = count(session, POSITION, many).await? - many + 1;
    let revoked: Vec<Document> = (first..)
        .zip(revoked)
        .map(|(position, Revocation { subject, epoch, expires_at })| {
            let mut revoked = doc! {
                "_id": position,
                "subject": uuid(*subject),
                "expires_at": micros(*expires_at),
                "gone_at": date(*expires_at),
            };
            revoked.extend(epoch.map(|epoch| ("epoch".to_owned(), epoch.cast_signed().into())));
            revoked
        })
        .collect();
    session.insert(REVOCATIONS, &revoked).await.map(drop)
}

/// Makes sure that of transactions that add signing keys each sees the others.
pub(super) async fn guard_keys(session: &mut Session) -> Result<(), Error> {
    count(session, KEYS, 1).await.map(drop)
}

/// A signing key as a document.
pub(super) fn document(key: &SigningKey, created_at: Timestamp) -> Document {
    let mut document = doc! {
        "_id": &key.kid,
        "seed": binary(&key.seed),
        "public": binary(&key.public),
        "created_at": micros(created_at),
        "active_at": micros(key.active_at),
    };
    if let Some(end) = key.expires_at {
        document.extend(doc! { "expires_at": micros(end), "gone_at": date(end) });
    }
    document
}

#[async_trait]
impl Transaction for NewSigningKey {
    type Outcome = ();

    async fn run(&self, session: &mut Session) -> Result<(), Error> {
        if self.first && any_key().any_within(session).await? {
            return Ok(());
        }
        guard_keys(session).await?;
        let end = micros(self.others_expire_at);
        let others = doc! {
            "q": { "$or": [{ "expires_at": null }, { "expires_at": { "$gt": end } }] },
            "u": { "$set": { "expires_at": end, "gone_at": date(self.others_expire_at) } },
            "multi": true,
            "hint": "signing_keys_by_time",
        };
        session.update(SIGNING_KEYS, vec![others]).await?;
        session.insert(SIGNING_KEYS, &[document(&self.key, self.at)]).await?;
        audit::write(session, &self.trail).await
    }
}
