-- What accounts are searched by and sorted by name with: name and address, case folded. Those that were
-- there before are folded as far as SQLite can, until they are described anew.
ALTER TABLE users ADD COLUMN searched TEXT NOT NULL DEFAULT '';
UPDATE users SET searched = lower(name) || char(10) || coalesce(email_key, '') WHERE erased_at IS NULL;
CREATE INDEX users_searched ON users (searched, id) WHERE erased_at IS NULL;

-- Those that wait for their address to be verified.
CREATE INDEX users_pending ON users (updated_at) WHERE status = 'pending' AND erased_at IS NULL;

-- Keys that have ended are removed some time later, and listed in pages.
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX api_keys_expired ON api_keys (expires_at) WHERE expires_at IS NOT NULL;
DROP INDEX api_keys_user;
CREATE INDEX api_keys_user ON api_keys (user_id, created_at DESC, id DESC);
