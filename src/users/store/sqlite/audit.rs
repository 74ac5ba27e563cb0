//! The audit trail.

use async_trait::async_trait;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Row, SqliteConnection};
use uuid::Uuid;

use super::SqliteUsers;
use super::rows::{instant, json, strange, to_json};
use crate::kit::http::page::{Cursor, From};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::audit::{Action, Entry, Outcome};
use crate::users::store::{AuditPage, AuditQuery, AuditStore, Within};

/// Writes an entry, in the transaction of what it tells of.
pub(super) async fn write(conn: &mut SqliteConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    insert(conn, entry, "INSERT").await
}

/// Writes an entry that may have been written before.
pub(super) async fn write_unless_there(
    conn: &mut SqliteConnection,
    entry: &Entry,
) -> Result<(), sqlx::Error> {
    insert(conn, entry, "INSERT OR IGNORE").await
}

async fn insert(conn: &mut SqliteConnection, entry: &Entry, how: &str) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(format!(
        "{how} INTO audit (id, at, actor, credential, action, target, institution, outcome, address, device, \
         request_id, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )))
    .bind(entry.id.uuid())
    .bind(entry.at.as_microsecond())
    .bind(entry.actor.map(UserId::uuid))
    .bind(entry.credential.map(|credential| to_json(&credential)).transpose()?)
    .bind(entry.action.as_str())
    .bind(entry.target.map(UserId::uuid))
    .bind(entry.institution.clone())
    .bind(entry.outcome.as_str())
    .bind(entry.address.clone())
    .bind(entry.device.clone())
    .bind(entry.request_id.clone())
    .bind(to_json(&entry.detail)?)
    .execute(conn)
    .await
    .map(drop)
}

struct Append(Entry);

#[async_trait]
impl Transaction for Append {
    type Outcome = ();

    async fn run(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        write(conn, &self.0).await
    }
}

#[async_trait]
impl AuditStore for SqliteUsers {
    async fn append(&self, entry: Entry) -> Result<(), StorageError> {
        self.database.transact(Append(entry)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StorageError> {
        let mut conn = self.database.read().await?;
        let mut sql = select(&query);
        let rows = sql.build().fetch_all(&mut *conn).await.map_err(self.sort())?;
        let limit = query.page.limit as usize;
        let entries: Result<Vec<Entry>, _> = rows.iter().take(limit).map(entry).collect();
        let entries = entries.map_err(self.sort())?;
        let more = rows.len() > limit;
        let next = entries.last().filter(|_| more).map(|last| Cursor { at: last.at, id: last.id.uuid() });
        Ok(AuditPage { entries, next })
    }
}

fn select(query: &AuditQuery) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "SELECT id, at, actor, credential, action, target, institution, outcome, address, device, request_id, \
         detail FROM audit WHERE TRUE",
    );
    match &query.within {
        Within::Everyone => {}
        Within::Institution(name) => {
            sql.push(" AND institution = ").push_bind(name.clone());
        }
        Within::Only(user) => {
            sql.push(" AND target = ").push_bind(user.uuid());
        }
    }
    if let Some(actor) = query.actor {
        sql.push(" AND actor = ").push_bind(actor.uuid());
    }
    if let Some(target) = query.target {
        sql.push(" AND target = ").push_bind(target.uuid());
    }
    if let Some(action) = query.action {
        sql.push(" AND action = ").push_bind(action.as_str());
    }
    if let Some(outcome) = query.outcome {
        sql.push(" AND outcome = ").push_bind(outcome.as_str());
    }
    if let Some(from) = query.from {
        sql.push(" AND at >= ").push_bind(from.as_microsecond());
    }
    if let Some(to) = query.to {
        sql.push(" AND at < ").push_bind(to.as_microsecond());
    }
    let mut offset = 0;
    match query.page.from {
        From::Offset(skip) => offset = skip,
        From::After(Cursor { at, id }) => {
            sql.push(" AND (at, id) < (").push_bind(at.as_microsecond()).push(", ").push_bind(id).push(")");
        }
    }
    sql.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(i64::from(query.page.limit) + 1);
    sql.push(" OFFSET ").push_bind(i64::from(offset));
    sql
}

pub(super) fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let user = |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<Uuid>, _>(column)?.map(Into::into));
    Ok(Entry {
        id: row.try_get::<Uuid, _>(0)?.into(),
        at: instant(row.try_get(1)?)?,
        actor: user(2)?,
        credential: row.try_get::<Option<&str>, _>(3)?.map(json).transpose()?,
        action: Action::from_word(row.try_get(4)?).ok_or_else(|| strange("action"))?,
        target: user(5)?,
        institution: row.try_get(6)?,
        outcome: match row.try_get(7)? {
            "done" => Outcome::Done,
            "refused" => Outcome::Refused,
            _ => return Err(strange("outcome")),
        },
        address: row.try_get(8)?,
        device: row.try_get(9)?,
        request_id: row.try_get(10)?,
        detail: json(row.try_get(11)?)?,
    })
}
