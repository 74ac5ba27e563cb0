-- Accounts that wait for their address to be verified: those that wait too long are removed.
CREATE INDEX users_pending ON users (updated_at) WHERE status = 'pending' AND erased_at IS NULL;
