-- What accounts are searched by and sorted by name with: name and address, case folded. Those that were
-- there before are folded as far as SQLite can, until they are described anew.
ALTER TABLE users ADD COLUMN searched TEXT NOT NULL DEFAULT '';
UPDATE users SET searched = lower(name) || char(10) || coalesce(email_key, '') WHERE erased_at IS NULL;
CREATE INDEX users_searched ON users (searched, id) WHERE erased_at IS NULL;

-- Those that wait for their address to be verified.
CREATE INDEX users_pending ON users (updated_at) WHERE status = 'pending' AND erased_at IS NULL;
