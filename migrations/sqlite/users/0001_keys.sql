-- Accounts and their API keys. Instants are microseconds since 1970 UTC, ids are UUIDs as 16 bytes.
CREATE TABLE users (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- Only the SHA-256 of a key is kept: keys are 256 random bits, which no dictionary holds.
CREATE TABLE api_keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE,
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
