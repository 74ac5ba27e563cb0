-- Finished commands. Instants are microseconds since 1970 UTC, ids are UUIDs as 16 bytes.
CREATE TABLE commands (
    id           BLOB    NOT NULL PRIMARY KEY,
    owner        BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    session_id   TEXT,
    text         TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    intent       TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    duration_ms  REAL    NOT NULL,
    result       TEXT,
    error        TEXT,
    fingerprint  BLOB    NOT NULL  -- SHA-256 of the request
) STRICT;

-- Each list that the API can ask for reads one of these from its end.
CREATE INDEX commands_by_time    ON commands (owner, created_at, id);
CREATE INDEX commands_by_intent  ON commands (owner, intent, created_at, id);
CREATE INDEX commands_by_session ON commands (owner, session_id, created_at, id) WHERE session_id IS NOT NULL;

-- Counters by owner and day (days since 1970 UTC), so that figures never read the history.
CREATE TABLE command_stats (
    owner       BLOB    NOT NULL,
    day         INTEGER NOT NULL,
    intent      TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    count       INTEGER NOT NULL,
    duration_ms REAL    NOT NULL,
    PRIMARY KEY (owner, day, intent, language, source)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER count_command AFTER INSERT ON commands BEGIN
    INSERT INTO command_stats
    VALUES (NEW.owner, NEW.created_at / 86400000000, NEW.intent, NEW.language, NEW.source, 1, NEW.duration_ms)
    ON CONFLICT DO UPDATE SET count = count + 1, duration_ms = duration_ms + excluded.duration_ms;
END;

-- A command that had failed and was answered after all moves from one counter to another.
CREATE TRIGGER recount_command AFTER UPDATE OF status ON commands BEGIN
    UPDATE command_stats SET count = count - 1, duration_ms = duration_ms - OLD.duration_ms
    WHERE owner = OLD.owner AND day = OLD.created_at / 86400000000
      AND intent = OLD.intent AND language = OLD.language AND source = OLD.source;
    INSERT INTO command_stats
    VALUES (NEW.owner, NEW.created_at / 86400000000, NEW.intent, NEW.language, NEW.source, 1, NEW.duration_ms)
    ON CONFLICT DO UPDATE SET count = count + 1, duration_ms = duration_ms + excluded.duration_ms;
END;
