-- Jobs that are not done yet; a completed one is removed.
-- state: 0 waiting, 1 active, 2 delayed, 3 failed. Instants are microseconds since 1970, UTC.
CREATE TABLE jobs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: settles name their job by it
    id           BLOB    NOT NULL UNIQUE,
    queue        TEXT    NOT NULL,
    state        INTEGER NOT NULL,
    priority     INTEGER NOT NULL,
    run_at       INTEGER NOT NULL,
    lease_until  INTEGER,
    lease_by     INTEGER,
    attempts     INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    takeovers    INTEGER NOT NULL DEFAULT 0, -- attempts forgiven because the process died with others in flight
    created_at   INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    owner        BLOB    NOT NULL,
    traceparent  TEXT,
    last_error   TEXT,
    payload      TEXT    NOT NULL
) STRICT;

-- One index a state: a claim reads the head of its own, however long the others are.
CREATE INDEX jobs_waiting ON jobs (queue, priority, run_at, id) WHERE state = 0;
CREATE INDEX jobs_delayed ON jobs (queue, run_at)               WHERE state = 2;

-- The same by age: an index ends with the rowid, which is seq.
CREATE INDEX jobs_waiting_by_age ON jobs (queue) WHERE state = 0;
CREATE INDEX jobs_active_by_age  ON jobs (queue) WHERE state = 1;
CREATE INDEX jobs_delayed_by_age ON jobs (queue) WHERE state = 2;
CREATE INDEX jobs_failed_by_age  ON jobs (queue) WHERE state = 3;
