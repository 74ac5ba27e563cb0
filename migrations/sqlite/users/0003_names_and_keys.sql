-- Names as they are searched and sorted: composed and case folded, which SQLite does for ASCII alone.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = lower(name);

-- Keys that have ended are removed some time later, and listed in pages.
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_expired ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
DROP INDEX api_keys_user;
CREATE INDEX api_keys_user ON api_keys (user_id, created_at DESC, id DESC);
