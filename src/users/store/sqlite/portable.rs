//! Everything carried to another store, and from one.

mod import;

use async_trait::async_trait;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, Encode, Row, SqlSafeStr, SqliteConnection, Type};
use uuid::Uuid;

use super::rows::{ACCOUNT, ACCOUNT_COLUMNS, account, count, instant};
use super::{SqliteUsers, audit, keys, passkeys, roles, sessions, trust};
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::portable::Portable;
use crate::users::store::{
    AccountRecord, ErasedRecord, ErasureRecord, Hash, KeyRecord, PasskeyRecord, Purpose, Record, RecordKey,
    RoleRecord, SessionRecord, SigningKeyRecord, SpentTokenRecord, TokenRecord, TradedToken,
};

const ROLES: &str = "SELECT name, description, permissions, reach, built_in, updated_at FROM roles \
     WHERE name > ? AND built_in = 0 ORDER BY name LIMIT ?";
const SIGNING_KEYS: &str = "SELECT kid, seed, public, active_at, expires_at, created_at FROM signing_keys \
     WHERE kid > ? ORDER BY kid LIMIT ?";
/// What follows the columns of an account.
const ACCOUNTS: &str = "users.email_verified_at, users.password, users.totp, users.totp_step \
     FROM users WHERE id > ? AND erased_at IS NULL ORDER BY id LIMIT ?";
const RECOVERY: &str =
    "SELECT hash FROM recovery_codes WHERE user_id = ? AND used_at IS NULL ORDER BY hash LIMIT ?";
const KEYS: &str = "SELECT id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at, hash \
     FROM api_keys WHERE user_id = ? ORDER BY id LIMIT ?";
const PASSKEYS: &str = "SELECT id, credential_id, user_id, name, credential, created_at, last_used_at, counter \
     FROM passkeys WHERE user_id = ? ORDER BY id LIMIT ?";
const TOKENS: &str = "SELECT hash, purpose, payload, attempts, created_at, expires_at FROM one_time_tokens \
     WHERE user_id = ? AND purpose IN ('verify', 'reset') ORDER BY hash LIMIT ?";
const ERASED: &str =
    "SELECT id, erased_at FROM users WHERE id > ? AND erased_at IS NOT NULL ORDER BY id LIMIT ?";
/// The last token of a session is the good one; the one before has what that was made with.
const SESSIONS: &str = "SELECT s.id, s.device, s.address, s.method, s.created_at, s.last_seen_at, s.expires_at, \
     s.user_id, u.epoch, s.network, s.ended_at, s.ended_by, c.hash, p.hash, p.used_at, p.salt \
     FROM sessions s JOIN users u ON u.id = s.user_id \
     LEFT JOIN refresh_tokens c ON c.session_id = s.id AND c.used_at IS NULL \
     LEFT JOIN refresh_tokens p ON p.session_id = s.id AND p.generation = c.generation - 1 \
     AND p.salt IS NOT NULL WHERE s.id > ? AND u.erased_at IS NULL ORDER BY s.id LIMIT ?";
const SPENT: &str = "SELECT t.hash, t.session_id FROM refresh_tokens t \
     WHERE t.hash > ? AND t.used_at IS NOT NULL AND (t.salt IS NULL OR t.generation + 1 < \
     (SELECT max(generation) FROM refresh_tokens WHERE session_id = t.session_id)) ORDER BY t.hash LIMIT ?";
const INVITATIONS: &str = "SELECT hash, purpose, payload, attempts, created_at, expires_at \
     FROM one_time_tokens WHERE hash > ? AND purpose = 'invite' AND user_id IS NULL ORDER BY hash LIMIT ?";
const REVOCATIONS: &str = "SELECT subject, subject, epoch, expires_at, position FROM revocations \
     WHERE position > ? ORDER BY position LIMIT ?";
const TRAIL: &str = "SELECT id, at, actor, credential, action, target, institution, outcome, address, device, \
     request_id, detail FROM audit WHERE id > ? ORDER BY id LIMIT ?";
const ERASURES: &str =
    "SELECT user_id, due_at, passes FROM erasures WHERE user_id > ? ORDER BY user_id LIMIT ?";

const ENTRIES: &str = "SELECT (SELECT count(*) FROM roles WHERE built_in = 0) \
     + (SELECT count(*) FROM signing_keys) + (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions) \
     + (SELECT count(*) FROM refresh_tokens t WHERE t.used_at IS NOT NULL AND (t.salt IS NULL OR \
     t.generation + 1 < (SELECT max(generation) FROM refresh_tokens WHERE session_id = t.session_id))) \
     + (SELECT count(*) FROM one_time_tokens WHERE purpose = 'invite' AND user_id IS NULL) \
     + (SELECT count(*) FROM revocations) + (SELECT count(*) FROM audit) + (SELECT count(*) FROM erasures)";
const LASTING: &str = "SELECT count(*) FROM users";

/// All that belongs to one account.
const ALL: u32 = u32::MAX;

#[async_trait]
impl Portable for SqliteUsers {
    type Key = RecordKey;
    type Entry = Record;

    async fn entries(&self) -> Result<u64, StorageError> {
        self.number(ENTRIES).await
    }

    async fn lasting(&self) -> Result<u64, StorageError> {
        self.number(LASTING).await
    }

    async fn export(
        &self,
        after: Option<RecordKey>,
        limit: u32,
    ) -> Result<Vec<(RecordKey, Record)>, StorageError> {
        let mut conn = self.database.read().await?;
        let mut place = Some(after.unwrap_or_else(RecordKey::before_all));
        while let Some(key) = place {
            let found = beyond(&mut conn, &key, limit).await.map_err(self.sort())?;
            if !found.is_empty() {
                return Ok(found.into_iter().map(|record| (record.key(), record)).collect());
            }
            place = key.next_room();
        }
        Ok(Vec::new())
    }

    async fn import(&self, records: Vec<Record>) -> Result<(), StorageError> {
        match self.database.transact(import::Import(records)).await? {
            None => Ok(()),
            Some(detail) => Err(StorageError::Taken { place: self.database.file().into(), detail }),
        }
    }
}

impl SqliteUsers {
    async fn number(&self, sql: &'static str) -> Result<u64, StorageError> {
        let mut conn = self.database.read().await?;
        let number = sqlx::query_scalar(sql).fetch_one(&mut *conn).await;
        number.map(count).map_err(self.sort())
    }
}

/// The next records of the room in which `key` is.
async fn beyond(
    conn: &mut SqliteConnection,
    key: &RecordKey,
    limit: u32,
) -> Result<Vec<Record>, sqlx::Error> {
    match key {
        RecordKey::Role(name) => read(&rows(conn, ROLES, name.clone(), limit).await?, role),
        RecordKey::SigningKey(kid) => read(&rows(conn, SIGNING_KEYS, kid.clone(), limit).await?, signing_key),
        RecordKey::Account(id) => {
            let mut accounts = Vec::new();
            let sql = AssertSqlSafe(format!("SELECT {ACCOUNT}, {ACCOUNTS}"));
            for row in rows(conn, sql, id.uuid(), limit).await? {
                accounts.push(Record::Account(Box::new(whole_account(conn, &row).await?)));
            }
            Ok(accounts)
        }
        RecordKey::Erased(id) => read(&rows(conn, ERASED, id.uuid(), limit).await?, |row| {
            Ok(Record::Erased(ErasedRecord { user: id_at(row, 0)?, at: instant(row.try_get(1)?)? }))
        }),
        RecordKey::Session(id) => read(&rows(conn, SESSIONS, id.uuid(), limit).await?, session),
        RecordKey::SpentToken(hash) => read(&rows(conn, SPENT, hash.to_vec(), limit).await?, |row| {
            let session = row.try_get::<Uuid, _>(1)?.into();
            Ok(Record::SpentToken(SpentTokenRecord { hash: hash_at(row, 0)?, session }))
        }),
        RecordKey::Invitation(hash) => {
            let found = rows(conn, INVITATIONS, hash.to_vec(), limit).await?;
            read(&found, |row| token(row, Purpose::Invite).map(Record::Invitation))
        }
        RecordKey::Revocation(position) => {
            let found = rows(conn, REVOCATIONS, position.cast_signed(), limit).await?;
            read(&found, |row| Ok(Record::Revocation(count(row.try_get(4)?), trust::revocation(row)?)))
        }
        RecordKey::Entry(id) => {
            let found = rows(conn, TRAIL, id.uuid(), limit).await?;
            read(&found, |row| audit::entry(row).map(|entry| Record::Entry(Box::new(entry))))
        }
        RecordKey::Erasure(id) => read(&rows(conn, ERASURES, id.uuid(), limit).await?, |row| {
            let due_at = instant(row.try_get(1)?)?;
            Ok(Record::Erasure(ErasureRecord { user: id_at(row, 0)?, due_at, passes: row.try_get(2)? }))
        }),
    }
}

/// The rows of a question about what comes after, or belongs to, `whom`.
async fn rows<T>(
    conn: &mut SqliteConnection,
    sql: impl SqlSafeStr + Send,
    whom: T,
    limit: u32,
) -> Result<Vec<SqliteRow>, sqlx::Error>
where
    T: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + Send,
{
    sqlx::query(sql).bind(whom).bind(limit).fetch_all(conn).await
}

fn read<T>(
    rows: &[SqliteRow],
    one: impl Fn(&SqliteRow) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, sqlx::Error> {
    rows.iter().map(one).collect()
}

fn id_at(row: &SqliteRow, column: usize) -> Result<UserId, sqlx::Error> {
    Ok(row.try_get::<Uuid, _>(column)?.into())
}

fn hash_at(row: &SqliteRow, column: usize) -> Result<Hash, sqlx::Error> {
    thirty_two(row.try_get(column)?)
}

fn thirty_two(bytes: &[u8]) -> Result<[u8; 32], sqlx::Error> {
    bytes.try_into().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn role(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    Ok(Record::Role(RoleRecord { role: roles::role(row)?, updated_at: instant(row.try_get(5)?)? }))
}

fn signing_key(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let (key, created_at) = (trust::signing_key(row)?, instant(row.try_get(5)?)?);
    Ok(Record::SigningKey(SigningKeyRecord { key, created_at }))
}

async fn whole_account(conn: &mut SqliteConnection, row: &SqliteRow) -> Result<AccountRecord, sqlx::Error> {
    let account = account(row)?;
    let id = account.id.uuid();
    let keys = |row: &SqliteRow| Ok(KeyRecord { key: keys::key(row)?, hash: hash_at(row, 8)? });
    let passkeys =
        |row: &SqliteRow| Ok(PasskeyRecord { passkey: passkeys::stored(row)?, counter: row.try_get(7)? });
    let tokens = |row: &SqliteRow| {
        let reset = row.try_get::<&str, _>(1)? == Purpose::Reset.as_str();
        token(row, if reset { Purpose::Reset } else { Purpose::Verify })
    };
    let verified: Option<i64> = row.try_get(ACCOUNT_COLUMNS)?;
    Ok(AccountRecord {
        account,
        email_verified_at: verified.map(instant).transpose()?,
        password: row.try_get(ACCOUNT_COLUMNS + 1)?,
        totp: row.try_get(ACCOUNT_COLUMNS + 2)?,
        totp_step: count(row.try_get(ACCOUNT_COLUMNS + 3)?),
        recovery: read(&rows(conn, RECOVERY, id, ALL).await?, |row| hash_at(row, 0))?,
        keys: read(&rows(conn, KEYS, id, ALL).await?, keys)?,
        passkeys: read(&rows(conn, PASSKEYS, id, ALL).await?, passkeys)?,
        tokens: read(&rows(conn, TOKENS, id, ALL).await?, tokens)?,
    })
}

fn token(row: &SqliteRow, purpose: Purpose) -> Result<TokenRecord, sqlx::Error> {
    Ok(TokenRecord {
        hash: hash_at(row, 0)?,
        purpose,
        payload: row.try_get(2)?,
        attempts: row.try_get(3)?,
        created_at: instant(row.try_get(4)?)?,
        expires_at: instant(row.try_get(5)?)?,
    })
}

fn session(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let when = |column: usize| row.try_get::<Option<i64>, _>(column)?.map(instant).transpose();
    let previous =
        match (row.try_get::<Option<&[u8]>, _>(13)?, when(14)?, row.try_get::<Option<&[u8]>, _>(15)?) {
            (Some(hash), Some(used_at), Some(salt)) => {
                Some(TradedToken { hash: thirty_two(hash)?, used_at, salt: thirty_two(salt)? })
            }
            _ => None,
        };
    Ok(Record::Session(Box::new(SessionRecord {
        session: sessions::session(row)?,
        user: id_at(row, 7)?,
        epoch: count(row.try_get(8)?),
        network: row.try_get(9)?,
        ended_at: when(10)?,
        ended_by: row.try_get(11)?,
        current: row.try_get::<Option<&[u8]>, _>(12)?.map(thirty_two).transpose()?,
        previous,
    })))
}
