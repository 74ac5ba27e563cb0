//! Rows and columns as the domain's types.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use crate::users::account::{Account, Kind, Status};
use crate::users::store::REMEMBERED;

/// The columns of an account, in the order in which [`account`] reads them. The table is `users`.
pub(super) const ACCOUNT: &str = "users.id, users.kind, users.name, users.email, users.email_verified_at, \
     users.status, users.role, users.institution, users.avatar, users.preferences, users.profile, \
     users.metadata, users.created_at, users.updated_at, users.last_active_at, users.version, users.epoch, \
     users.totp IS NOT NULL";

/// How many columns that is.
pub(super) const ACCOUNT_COLUMNS: usize = 18;

pub(super) fn account(row: &SqliteRow) -> Result<Account, sqlx::Error> {
    Ok(Account {
        id: row.try_get::<Uuid, _>(0)?.into(),
        kind: Kind::from_word(row.try_get(1)?).ok_or_else(|| strange("kind"))?,
        name: row.try_get(2)?,
        email: row.try_get(3)?,
        email_verified: row.try_get::<Option<i64>, _>(4)?.is_some(),
        status: Status::from_word(row.try_get(5)?).ok_or_else(|| strange("status"))?,
        role: row.try_get(6)?,
        institution: row.try_get(7)?,
        avatar: row.try_get(8)?,
        preferences: json(row.try_get(9)?)?,
        profile: json(row.try_get(10)?)?,
        metadata: json(row.try_get(11)?)?,
        created_at: instant(row.try_get(12)?)?,
        updated_at: instant(row.try_get(13)?)?,
        last_active: row.try_get::<Option<i64>, _>(14)?.map(instant).transpose()?,
        version: count(row.try_get(15)?),
        epoch: count(row.try_get(16)?),
        second_factor: row.try_get(17)?,
    })
}

pub(super) fn instant(micros: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(micros).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

pub(super) fn strange(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the column `{column}` holds a word that this version does not know").into())
}

/// A count as SQLite keeps it; never negative.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Has every service refuse `subject`: all of it, or what was made out before `epoch`.
pub(super) async fn revoke(
    conn: &mut SqliteConnection,
    subject: Uuid,
    epoch: Option<u64>,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let forget_at = at.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX);
    sqlx::query("INSERT INTO revocations (subject, epoch, expires_at) VALUES (?, ?, ?)")
        .bind(subject)
        .bind(epoch.map(u64::cast_signed))
        .bind(forget_at.as_microsecond())
        .execute(conn)
        .await
        .map(drop)
}
