//! The audit trail. The server has no means to keep it from being changed but the rights of its users.

use async_trait::async_trait;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use serde::{Deserialize, Serialize};

use super::document::{json, read_json, strange};
use super::query::Query;
use super::{AUDIT, MongoUsers};
use crate::kit::http::page::{Cursor, From};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Binary16, Position, Session, Transaction, id, instant, micros, uuid};
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::store::{AuditPage, AuditQuery, AuditStore, Within};

/// An entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Written {
    #[serde(rename = "_id")]
    id: Binary16,
    at: i64,
    position: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Binary16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Binary16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    institution: Option<String>,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    detail: String,
}

impl Written {
    pub(super) fn of(entry: &Entry) -> Result<Self, Error> {
        Ok(Self {
            id: uuid(entry.id.uuid()),
            at: micros(entry.at),
            position: Position::of(Cursor { at: entry.at, id: entry.id.uuid() }),
            actor: entry.actor.map(|actor| uuid(actor.uuid())),
            credential: entry.credential.as_ref().map(json).transpose()?,
            action: entry.action.as_str().to_owned(),
            target: entry.target.map(|target| uuid(target.uuid())),
            institution: entry.institution.clone(),
            outcome: entry.outcome.as_str().to_owned(),
            address: entry.address.clone(),
            device: entry.device.clone(),
            request_id: entry.request_id.clone(),
            detail: json(&entry.detail)?,
        })
    }

    pub(super) fn entry(self) -> Result<Entry, Error> {
        Ok(Entry {
            id: id(self.id),
            at: instant(self.at)?,
            actor: self.actor.map(id),
            credential: self.credential.as_deref().map(read_json).transpose()?,
            action: Action::from_word(&self.action).ok_or_else(|| strange("action"))?,
            target: self.target.map(id),
            institution: self.institution,
            outcome: match self.outcome.as_str() {
                "done" => Outcome::Done,
                "refused" => Outcome::Refused,
                _ => return Err(strange("outcome")),
            },
            address: self.address,
            device: self.device,
            request_id: self.request_id,
            detail: read_json(&self.detail)?,
        })
    }
}

/// Writes an entry, in the transaction of what it tells of.
pub(super) async fn write(session: &mut Session, entry: &Entry) -> Result<(), Error> {
    session.insert(AUDIT, &[Written::of(entry)?]).await.map(drop)
}

struct Append(Entry);

#[async_trait]
impl Transaction for Append {
    type Outcome = ();

    async fn run(&self, session: &mut Session) -> Result<(), Error> {
        write(session, &self.0).await
    }
}

#[async_trait]
impl AuditStore for MongoUsers {
    async fn append(&self, entry: Entry) -> Result<(), StorageError> {
        self.transact(&Append(entry)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StorageError> {
        let Some(plan) = plan(&query) else { return Ok(AuditPage { entries: Vec::new(), next: None }) };
        let found: Vec<Written> = plan.listed(self).await?;
        let limit = query.page.limit as usize;
        let more = found.len() > limit;
        let entries: Result<Vec<Entry>, _> = found.into_iter().take(limit).map(Written::entry).collect();
        let entries = self.read(entries)?;
        let next = entries.last().filter(|_| more).map(|last| Cursor { at: last.at, id: last.id.uuid() });
        Ok(AuditPage { entries, next })
    }
}

/// How a page is found; none if no entry can be on it.
pub(super) fn plan(query: &AuditQuery) -> Option<Query> {
    let (mut institution, mut target) = (None, query.target);
    match &query.within {
        Within::Everyone => {}
        Within::Institution(name) => institution = Some(name.clone()),
        Within::Only(user) if target.is_none_or(|target| target == *user) => target = Some(*user),
        Within::Only(_) => return None,
    }
    let outcome = query.outcome.map(Outcome::as_str);
    // First what there is least of.
    let given = [
        ("target", "audit_by_target", target.map(|target| uuid(target.uuid()).into())),
        ("actor", "audit_by_actor", query.actor.map(|actor| uuid(actor.uuid()).into())),
        ("action", "audit_by_action", query.action.map(|action| action.as_str().into())),
        ("institution", "audit_by_institution", institution.map(Into::into)),
        ("outcome", "audit_by_outcome", outcome.map(Into::into)),
    ];
    let (mut filter, mut index) = (Document::new(), None);
    for (field, by, value) in given {
        if let Some(value) = value {
            let _: Option<mongodb::bson::Bson> = filter.insert::<_, mongodb::bson::Bson>(field, value);
            index = index.or(Some(by));
        }
    }
    let (mut skip, mut after) = (0, None);
    match query.page.from {
        From::Offset(offset) => skip = offset,
        From::After(cursor) => after = Some(Position::of(cursor)),
    }
    let below = [after, query.to.map(Position::beginning)].into_iter().flatten().min();
    let mut range = Document::new();
    range.extend(below.map(|below| ("$lt".to_owned(), below.into())));
    range.extend(query.from.map(|from| ("$gte".to_owned(), Position::beginning(from).into())));
    if !range.is_empty() {
        filter.insert("position", range);
    }
    let limit = i64::from(query.page.limit) + 1;
    let by_time = doc! { "position": -1 };
    Some(Query::of(AUDIT, index.unwrap_or("audit_by_time"), filter).sorted(by_time).skip(skip).limit(limit))
}

/// Entries of what was done with keys.
pub(super) fn of_keys() -> Query {
    let actions = vec![Action::CreateKey.as_str(), Action::RevokeKey.as_str()];
    let told = doc! { "action": { "$in": actions }, "outcome": Outcome::Done.as_str() };
    Query::of(AUDIT, "audit_by_action", told).limit(1)
}
