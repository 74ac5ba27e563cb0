//! Sessions: opened, kept going by refresh tokens, ended.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use uuid::Uuid;

use super::rows::{ACCOUNT, ACCOUNT_COLUMNS, account, instant, revoke};
use super::{SqliteUsers, audit};
use crate::kit::ids::{SessionId, UserId};
use crate::kit::storage::StorageError;
use crate::kit::storage::sqlite::Transaction;
use crate::users::account::{Account, Status};
use crate::users::store::{EndSessions, Hash, NewSession, Rotate, Rotation, Session, SessionStore};

#[async_trait]
impl SessionStore for SqliteUsers {
    async fn open_session(&self, session: NewSession) -> Result<bool, StorageError> {
        self.database.transact(session).await
    }

    async fn refreshed_by(&self, refresh: &Hash) -> Result<Option<SessionId>, StorageError> {
        let mut conn = self.database.read().await?;
        sqlx::query_scalar::<_, Uuid>("SELECT session_id FROM refresh_tokens WHERE hash = ?")
            .bind(refresh.to_vec())
            .fetch_optional(&mut *conn)
            .await
            .map(|session| session.map(Into::into))
            .map_err(self.sort())
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotation, StorageError> {
        self.database.transact(rotate).await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        let mut conn = self.database.read().await?;
        let rows = sqlx::query(
            "SELECT id, device, address, method, created_at, last_seen_at, expires_at FROM sessions \
             WHERE user_id = ? AND ended_at IS NULL AND expires_at > ? ORDER BY created_at DESC LIMIT 1000",
        )
        .bind(user.uuid())
        .bind(now.as_microsecond())
        .fetch_all(&mut *conn)
        .await
        .map_err(self.sort())?;
        rows.iter().map(session).collect::<Result<_, _>>().map_err(self.sort())
    }

    async fn end_sessions(&self, end: EndSessions) -> Result<u64, StorageError> {
        self.database.transact(end).await
    }

    async fn knows_network(
        &self,
        user: UserId,
        network: &str,
        since: Timestamp,
    ) -> Result<bool, StorageError> {
        let mut conn = self.database.read().await?;
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sessions WHERE user_id = ? AND network = ? AND last_seen_at >= ?)",
        )
        .bind(user.uuid())
        .bind(network.to_owned())
        .bind(since.as_microsecond())
        .fetch_one(&mut *conn)
        .await
        .map_err(self.sort())
    }
}

/// A session from the first columns of `row`, in their order here.
pub(super) fn session(row: &SqliteRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        id: row.try_get::<Uuid, _>(0)?.into(),
        device: row.try_get(1)?,
        address: row.try_get(2)?,
        method: row.try_get(3)?,
        created_at: instant(row.try_get(4)?)?,
        last_seen_at: instant(row.try_get(5)?)?,
        expires_at: instant(row.try_get(6)?)?,
    })
}

#[async_trait]
impl Transaction for NewSession {
    type Outcome = bool;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let at = self.at.as_microsecond();
        let as_checked: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM users WHERE id = ? AND epoch = ? AND status = 'active' \
             AND erased_at IS NULL)",
        )
        .bind(self.user.uuid())
        .bind(self.epoch.cast_signed())
        .fetch_one(&mut *conn)
        .await?;
        if !as_checked {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO sessions (id, user_id, device, address, network, method, created_at, last_seen_at, \
             expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(self.id.uuid())
        .bind(self.user.uuid())
        .bind(self.device.clone())
        .bind(self.address.clone())
        .bind(self.network.clone())
        .bind(self.method.clone())
        .bind(at)
        .bind(at)
        .bind(self.expires_at.as_microsecond())
        .execute(&mut *conn)
        .await?;
        sqlx::query("INSERT INTO refresh_tokens (hash, session_id, generation) VALUES (?, ?, 1)")
            .bind(self.refresh.to_vec())
            .bind(self.id.uuid())
            .execute(&mut *conn)
            .await?;
        sqlx::query("UPDATE users SET last_active_at = ? WHERE id = ?")
            .bind(at)
            .bind(self.user.uuid())
            .execute(&mut *conn)
            .await?;
        audit::write(conn, &self.trail).await?;
        Ok(true)
    }
}

/// A refresh token as it is found, with the session that it belongs to.
struct Found {
    account: Account,
    session: SessionId,
    generation: i64,
    used_at: Option<Timestamp>,
    salt: Option<Vec<u8>>,
    newest: i64,
}

impl Rotate {
    async fn find(&self, conn: &mut SqliteConnection) -> Result<Option<Found>, sqlx::Error> {
        let sql = format!(
            "SELECT {ACCOUNT}, s.id, t.generation, t.used_at, t.salt, \
             (SELECT max(generation) FROM refresh_tokens WHERE session_id = s.id) \
             FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id JOIN users ON users.id = s.user_id \
             WHERE t.hash = ? AND s.ended_at IS NULL AND s.expires_at > ? AND users.erased_at IS NULL"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(self.presented.to_vec())
            .bind(self.at.as_microsecond())
            .fetch_optional(conn)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Found {
            account: account(&row)?,
            session: row.try_get::<Uuid, _>(ACCOUNT_COLUMNS)?.into(),
            generation: row.try_get(ACCOUNT_COLUMNS + 1)?,
            used_at: row.try_get::<Option<i64>, _>(ACCOUNT_COLUMNS + 2)?.map(instant).transpose()?,
            salt: row.try_get(ACCOUNT_COLUMNS + 3)?,
            newest: row.try_get(ACCOUNT_COLUMNS + 4)?,
        }))
    }

    async fn advance(&self, conn: &mut SqliteConnection, found: &Found) -> Result<(), sqlx::Error> {
        let at = self.at.as_microsecond();
        sqlx::query("UPDATE refresh_tokens SET used_at = ?, salt = ? WHERE hash = ?")
            .bind(at)
            .bind(self.salt.to_vec())
            .bind(self.presented.to_vec())
            .execute(&mut *conn)
            .await?;
        sqlx::query("INSERT INTO refresh_tokens (hash, session_id, generation) VALUES (?, ?, ?)")
            .bind(self.successor.to_vec())
            .bind(found.session.uuid())
            .bind(found.generation + 1)
            .execute(&mut *conn)
            .await?;
        let until = self.at.saturating_add(self.lifetime).unwrap_or(Timestamp::MAX);
        sqlx::query(
            "UPDATE sessions SET last_seen_at = ?, expires_at = min(?, created_at + ?), \
             address = coalesce(?, address), network = coalesce(?, network) WHERE id = ?",
        )
        .bind(at)
        .bind(until.as_microsecond())
        .bind(i64::try_from(self.longest.as_micros()).unwrap_or(i64::MAX / 2))
        .bind(self.address.clone())
        .bind(self.network.clone())
        .bind(found.session.uuid())
        .execute(&mut *conn)
        .await?;
        sqlx::query("UPDATE users SET last_active_at = ? WHERE id = ?")
            .bind(at)
            .bind(found.account.id.uuid())
            .execute(conn)
            .await
            .map(drop)
    }
}

#[async_trait]
impl Transaction for Rotate {
    type Outcome = Rotation;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Rotation, sqlx::Error> {
        let Some(found) = self.find(conn).await? else { return Ok(Rotation::Unknown) };
        if found.account.status != Status::Active {
            return Ok(Rotation::Unknown);
        }
        let (session, account) = (found.session, Box::new(found.account.clone()));
        let Some(used_at) = found.used_at else {
            self.advance(conn, &found).await?;
            return Ok(Rotation::Next { session, account });
        };
        let salt: Option<[u8; 32]> = found.salt.as_deref().and_then(|salt| salt.try_into().ok());
        let fresh = self.at.duration_since(used_at) <= self.grace;
        if let Some(salt) = salt.filter(|_| fresh && found.generation + 1 == found.newest) {
            return Ok(Rotation::Again { session, account, salt });
        }
        let user = account.id;
        end(conn, user, Some(session), None, self.reuse.action.as_str(), self.at).await?;
        let trail =
            self.reuse.clone().on(user, account.institution.as_deref()).with("session", session.to_string());
        audit::write(conn, &trail).await?;
        Ok(Rotation::Reused)
    }
}

#[async_trait]
impl Transaction for EndSessions {
    type Outcome = u64;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        let (only, keep) = self.which.only_and_kept();
        let ended = end(conn, self.user, only, keep, self.trail.action.as_str(), self.at).await?;
        if ended > 0 {
            audit::write(conn, &self.trail.clone().with("sessions", ended)).await?;
        }
        Ok(ended)
    }
}

/// Ends somebody's sessions (`only` one, or all but the one to `keep`) and has every service refuse
/// their tokens; answers how many.
pub(super) async fn end(
    conn: &mut SqliteConnection,
    user: UserId,
    only: Option<SessionId>,
    keep: Option<SessionId>,
    why: &str,
    at: Timestamp,
) -> Result<u64, sqlx::Error> {
    let ended: Vec<Uuid> = sqlx::query_scalar(
        "UPDATE sessions SET ended_at = ?1, ended_by = ?2 WHERE user_id = ?3 AND ended_at IS NULL \
         AND (?4 IS NULL OR id = ?4) AND (?5 IS NULL OR id <> ?5) RETURNING id",
    )
    .bind(at.as_microsecond())
    .bind(why.to_owned())
    .bind(user.uuid())
    .bind(only.map(SessionId::uuid))
    .bind(keep.map(SessionId::uuid))
    .fetch_all(&mut *conn)
    .await?;
    for session in &ended {
        revoke(conn, *session, None, at).await?;
    }
    Ok(ended.len() as u64)
}
