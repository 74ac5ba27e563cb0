-- People's accounts, how they log in, what they may do, and the trail of it.
-- Instants are microseconds since 1970 UTC, ids are UUIDs as 16 bytes, sets and objects are JSON.

-- `email` is as it was typed, `email_key` as it is compared (NFC, case folded). `epoch` grows whenever
-- what the account may do changes: tokens of an earlier one are refused. `version` grows with every
-- change that is shown. `totp` is sealed. An erased account keeps its id and nothing else.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN email_key TEXT;
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
ALTER TABLE users ADD COLUMN password TEXT;
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'admin';
ALTER TABLE users ADD COLUMN institution TEXT;
ALTER TABLE users ADD COLUMN avatar TEXT;
ALTER TABLE users ADD COLUMN preferences TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN last_active_at INTEGER;
ALTER TABLE users ADD COLUMN totp BLOB;
ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN erased_at INTEGER;
UPDATE users SET updated_at = created_at;
CREATE UNIQUE INDEX users_email ON users (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX users_created ON users (created_at DESC, id DESC) WHERE erased_at IS NULL;
CREATE INDEX users_institution ON users (institution, created_at DESC, id DESC) WHERE erased_at IS NULL;
CREATE INDEX users_role ON users (role) WHERE erased_at IS NULL;

CREATE TABLE roles (
    name        TEXT    NOT NULL PRIMARY KEY,
    description TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    reach       TEXT    NOT NULL,
    built_in    INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

-- No scopes means whatever the role of the account permits: such was the first key.
CREATE TABLE keys (
    id           BLOB    NOT NULL PRIMARY KEY,
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL,
    hash         BLOB    NOT NULL UNIQUE,
    scopes       TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
INSERT INTO keys (id, user_id, name, prefix, hash, scopes, created_at)
    SELECT id, user_id, name, 'vk_', hash, NULL, created_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE keys RENAME TO api_keys;
CREATE INDEX api_keys_user ON api_keys (user_id, created_at DESC);

-- A session is one log-in; `network` is the address without its host part.
CREATE TABLE sessions (
    id           BLOB    NOT NULL PRIMARY KEY,
    user_id      BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device       TEXT,
    address      TEXT,
    network      TEXT,
    method       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    ended_by     TEXT
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, created_at DESC);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Every refresh token of a session, so that an old one is known when it comes back. Only the SHA-256 is
-- kept. A used one's successor is made from the token itself and `salt`: who lost the answer and asks
-- again gets the same one, though it is nowhere in clear.
CREATE TABLE refresh_tokens (
    hash       BLOB    NOT NULL PRIMARY KEY,
    session_id BLOB    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    used_at    INTEGER,
    salt       BLOB,
    UNIQUE (session_id, generation)
) STRICT, WITHOUT ROWID;

-- Tokens that are good once: to verify an address, to reset a password, to be invited, to finish a
-- log-in. `payload` is sealed.
CREATE TABLE one_time_tokens (
    hash       BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    user_id    BLOB    REFERENCES users (id) ON DELETE CASCADE,
    payload    BLOB,
    attempts   INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose);
CREATE INDEX one_time_tokens_expiry ON one_time_tokens (expires_at);

-- For who has lost the device with the second factor. Only the SHA-256 is kept.
CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;

-- `credential` is the passkey as the library that checks it writes it; `counter` is how often it says
-- that it has signed, and only grows.
CREATE TABLE passkeys (
    id            BLOB    NOT NULL PRIMARY KEY,
    credential_id BLOB    NOT NULL UNIQUE,
    user_id       BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    credential    TEXT    NOT NULL,
    counter       INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;
CREATE INDEX passkeys_user ON passkeys (user_id, created_at);

-- Ed25519 keys that sign access tokens. `seed` is sealed. A key signs from `active_at` until a later
-- one is active, and verifies until `expires_at`.
CREATE TABLE signing_keys (
    kid        TEXT    NOT NULL PRIMARY KEY,
    seed       BLOB    NOT NULL,
    public     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    active_at  INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

-- What every service has to refuse before it expires by itself: a session or a key by its id, or an
-- account's tokens of an earlier epoch.
CREATE TABLE revocations (
    position   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    subject    BLOB    NOT NULL,
    epoch      INTEGER,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_expiry ON revocations (expires_at);

-- Who did what to whom. Rows are added and never changed.
CREATE TABLE audit (
    id          BLOB    NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    actor       BLOB,
    credential  TEXT,
    action      TEXT    NOT NULL,
    target      BLOB,
    institution TEXT,
    outcome     TEXT    NOT NULL,
    address     TEXT,
    device      TEXT,
    request_id  TEXT,
    detail      TEXT    NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX audit_at ON audit (at DESC, id DESC);
CREATE INDEX audit_target ON audit (target, at DESC, id DESC);
CREATE INDEX audit_actor ON audit (actor, at DESC, id DESC);
CREATE INDEX audit_action ON audit (action, at DESC, id DESC);
CREATE INDEX audit_institution ON audit (institution, at DESC, id DESC);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- Erasures that other modules have not confirmed yet.
CREATE TABLE erasures (
    user_id BLOB    NOT NULL PRIMARY KEY,
    due_at  INTEGER NOT NULL,
    passes  INTEGER NOT NULL DEFAULT 0
) STRICT;
