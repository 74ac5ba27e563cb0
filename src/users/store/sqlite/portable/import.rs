//! Records of another store taken over.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::super::rows::to_json;
use super::super::{audit, roles};
use crate::kit::ids::UserId;
use crate::kit::storage::sqlite::Transaction;
use crate::users::account::folded;
use crate::users::api::Revocation;
use crate::users::roles::STUDENT;
use crate::users::store::{
    AccountRecord, ErasedRecord, ErasureRecord, KeyRecord, PasskeyRecord, Record, RoleRecord, SessionRecord,
    SigningKeyRecord, SpentTokenRecord, TokenRecord, addresses_taken, role_differs,
};

/// Takes records over; answers what is in the way, and then none was.
pub(super) struct Import(pub(super) Vec<Record>);

#[async_trait]
impl Transaction for Import {
    type Outcome = Option<String>;

    async fn run(&self, conn: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
        if let Some(taken) = self.obstacle(conn).await? {
            return Ok(Some(taken));
        }
        for record in &self.0 {
            match record {
                Record::Role(one) => add_role(conn, one).await?,
                Record::SigningKey(one) => add_signing_key(conn, one).await?,
                Record::Account(one) => add_account(conn, one).await?,
                Record::Erased(one) => add_erased(conn, one).await?,
                Record::Session(one) => add_session(conn, one).await?,
                Record::SpentToken(one) => add_spent_token(conn, one).await?,
                Record::Invitation(one) => add_token(conn, one, None).await?,
                Record::Revocation(_, one) => add_revocation(conn, one).await?,
                Record::Entry(one) => audit::write_unless_there(conn, one).await?,
                Record::Erasure(one) => add_erasure(conn, one).await?,
            }
        }
        Ok(None)
    }
}

impl Import {
    async fn obstacle(&self, conn: &mut SqliteConnection) -> Result<Option<String>, sqlx::Error> {
        let mut taken = Vec::new();
        for record in &self.0 {
            match record {
                Record::Role(one) => {
                    let there = roles::named(conn, &one.role.name).await?;
                    if there.is_some_and(|role| !one.permits_as(&role)) {
                        return Ok(Some(role_differs(&one.role.name)));
                    }
                }
                Record::Account(one) => {
                    let Some(email) = &one.account.email else { continue };
                    let anothers: bool = sqlx::query_scalar(
                        "SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ?1 AND id <> ?2) \
                         AND NOT EXISTS (SELECT 1 FROM users WHERE id = ?2)",
                    )
                    .bind(folded(email))
                    .bind(one.account.id.uuid())
                    .fetch_one(&mut *conn)
                    .await?;
                    taken.extend(anothers.then(|| email.clone()));
                }
                _ => {}
            }
        }
        Ok((!taken.is_empty()).then(|| addresses_taken(&taken)))
    }
}

async fn add_role(conn: &mut SqliteConnection, one: &RoleRecord) -> Result<(), sqlx::Error> {
    match roles::named(conn, &one.role.name).await? {
        Some(_) => Ok(()),
        None => roles::write(conn, &one.role, one.updated_at).await,
    }
}

async fn add_signing_key(conn: &mut SqliteConnection, one: &SigningKeyRecord) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO signing_keys (kid, seed, public, created_at, active_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(one.key.kid.clone())
    .bind(one.key.seed.clone())
    .bind(one.key.public.clone())
    .bind(one.created_at.as_microsecond())
    .bind(one.key.active_at.as_microsecond())
    .bind(micros(one.key.expires_at))
    .execute(conn)
    .await
    .map(drop)
}

async fn add_account(conn: &mut SqliteConnection, one: &AccountRecord) -> Result<(), sqlx::Error> {
    let account = &one.account;
    let added = sqlx::query(
        "INSERT INTO users (id, kind, name, name_key, email, email_key, email_verified_at, password, status, \
         role, institution, avatar, preferences, profile, metadata, epoch, version, created_at, updated_at, \
         last_active_at, totp, totp_step) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(account.id.uuid())
    .bind(account.kind.as_str())
    .bind(account.name.clone())
    .bind(folded(&account.name))
    .bind(account.email.clone())
    .bind(account.email.as_deref().map(folded))
    .bind(micros(one.email_verified_at))
    .bind(one.password.clone())
    .bind(account.status.as_str())
    .bind(account.role.clone())
    .bind(account.institution.clone())
    .bind(account.avatar.clone())
    .bind(to_json(&account.preferences)?)
    .bind(to_json(&account.profile)?)
    .bind(to_json(&account.metadata)?)
    .bind(account.epoch.cast_signed())
    .bind(account.version.cast_signed())
    .bind(account.created_at.as_microsecond())
    .bind(account.updated_at.as_microsecond())
    .bind(micros(account.last_active))
    .bind(one.totp.clone())
    .bind(one.totp_step.cast_signed())
    .execute(&mut *conn)
    .await?;
    if added.rows_affected() == 0 {
        return Ok(());
    }
    for hash in &one.recovery {
        sqlx::query("INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)")
            .bind(account.id.uuid())
            .bind(hash.to_vec())
            .execute(&mut *conn)
            .await?;
    }
    for key in &one.keys {
        add_key(conn, key, account.id).await?;
    }
    for passkey in &one.passkeys {
        add_passkey(conn, passkey).await?;
    }
    for token in &one.tokens {
        add_token(conn, token, Some(account.id)).await?;
    }
    Ok(())
}

async fn add_key(conn: &mut SqliteConnection, one: &KeyRecord, user: UserId) -> Result<(), sqlx::Error> {
    let key = &one.key;
    sqlx::query(
        "INSERT INTO api_keys (id, user_id, name, prefix, hash, scopes, created_at, expires_at, last_used_at, \
         revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key.id.uuid())
    .bind(user.uuid())
    .bind(key.name.clone())
    .bind(key.prefix.clone())
    .bind(one.hash.to_vec())
    .bind(key.scopes.as_ref().map(to_json).transpose()?)
    .bind(key.created_at.as_microsecond())
    .bind(micros(key.expires_at))
    .bind(micros(key.last_used_at))
    .bind(micros(key.revoked_at))
    .execute(conn)
    .await
    .map(drop)
}

async fn add_passkey(conn: &mut SqliteConnection, one: &PasskeyRecord) -> Result<(), sqlx::Error> {
    let passkey = &one.passkey;
    sqlx::query(
        "INSERT INTO passkeys (id, credential_id, user_id, name, credential, counter, created_at, last_used_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(passkey.id.uuid())
    .bind(passkey.credential_id.clone())
    .bind(passkey.user.uuid())
    .bind(passkey.name.clone())
    .bind(passkey.credential.clone())
    .bind(one.counter)
    .bind(passkey.created_at.as_microsecond())
    .bind(micros(passkey.last_used_at))
    .execute(conn)
    .await
    .map(drop)
}

async fn add_token(
    conn: &mut SqliteConnection,
    one: &TokenRecord,
    user: Option<UserId>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO one_time_tokens (hash, purpose, user_id, payload, attempts, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(one.hash.to_vec())
    .bind(one.purpose.as_str())
    .bind(user.map(UserId::uuid))
    .bind(one.payload.clone())
    .bind(one.attempts)
    .bind(one.created_at.as_microsecond())
    .bind(one.expires_at.as_microsecond())
    .execute(conn)
    .await
    .map(drop)
}

/// An erased account keeps its row; nothing in it means anything any more.
async fn add_erased(conn: &mut SqliteConnection, one: &ErasedRecord) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO users (id, name, status, role, created_at, updated_at, erased_at) \
         VALUES (?1, '', 'inactive', ?2, ?3, ?3, ?3) ON CONFLICT (id) DO NOTHING",
    )
    .bind(one.user.uuid())
    .bind(STUDENT)
    .bind(one.at.as_microsecond())
    .execute(conn)
    .await
    .map(drop)
}

async fn add_session(conn: &mut SqliteConnection, one: &SessionRecord) -> Result<(), sqlx::Error> {
    let session = &one.session;
    let added = sqlx::query(
        "INSERT INTO sessions (id, user_id, device, address, network, method, created_at, last_seen_at, \
         expires_at, ended_at, ended_by) SELECT ?, u.id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM users u \
         WHERE u.id = ? AND u.epoch = ? AND u.erased_at IS NULL ON CONFLICT DO NOTHING",
    )
    .bind(session.id.uuid())
    .bind(session.device.clone())
    .bind(session.address.clone())
    .bind(one.network.clone())
    .bind(session.method.clone())
    .bind(session.created_at.as_microsecond())
    .bind(session.last_seen_at.as_microsecond())
    .bind(session.expires_at.as_microsecond())
    .bind(micros(one.ended_at))
    .bind(one.ended_by.clone())
    .bind(one.user.uuid())
    .bind(one.epoch.cast_signed())
    .execute(&mut *conn)
    .await?;
    let Some(current) = one.current.filter(|_| added.rows_affected() == 1) else { return Ok(()) };
    // Earlier ones are counted down from here.
    let previous = one.previous.as_ref().map(|traded| (traded.hash, 1, Some(traded)));
    for (hash, generation, traded) in [(current, 2, None)].into_iter().chain(previous) {
        sqlx::query(
            "INSERT INTO refresh_tokens (hash, session_id, generation, used_at, salt) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(hash.to_vec())
        .bind(session.id.uuid())
        .bind(generation)
        .bind(traded.map(|traded| traded.used_at.as_microsecond()))
        .bind(traded.map(|traded| traded.salt.to_vec()))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn add_spent_token(conn: &mut SqliteConnection, one: &SpentTokenRecord) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO refresh_tokens (hash, session_id, generation, used_at) SELECT ?, s.id, \
         coalesce((SELECT min(generation) FROM refresh_tokens WHERE session_id = s.id), 1) - 1, s.created_at \
         FROM sessions s WHERE s.id = ? ON CONFLICT DO NOTHING",
    )
    .bind(one.hash.to_vec())
    .bind(one.session.uuid())
    .execute(conn)
    .await
    .map(drop)
}

/// At a position of this store's own, after all that were told before.
async fn add_revocation(conn: &mut SqliteConnection, one: &Revocation) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO revocations (subject, epoch, expires_at) SELECT ?1, ?2, ?3 \
         WHERE NOT EXISTS (SELECT 1 FROM revocations WHERE subject = ?1 AND epoch IS ?2)",
    )
    .bind(one.subject)
    .bind(one.epoch.map(u64::cast_signed))
    .bind(one.expires_at.as_microsecond())
    .execute(conn)
    .await
    .map(drop)
}

async fn add_erasure(conn: &mut SqliteConnection, one: &ErasureRecord) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO erasures (user_id, due_at, passes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(one.user.uuid())
        .bind(one.due_at.as_microsecond())
        .bind(one.passes)
        .execute(conn)
        .await
        .map(drop)
}

fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_microsecond)
}
