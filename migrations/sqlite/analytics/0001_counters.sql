-- Counters by UTC hour (hours since 1970).
CREATE TABLE command_counters (
    hour        INTEGER NOT NULL,
    intent      TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    count       INTEGER NOT NULL,
    duration_ms REAL    NOT NULL,
    PRIMARY KEY (hour, intent, language, source)
) STRICT, WITHOUT ROWID;

-- The same over all time, so that what is asked every few seconds does not read every hour there was.
CREATE TABLE command_totals (
    intent      TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    count       INTEGER NOT NULL,
    duration_ms REAL    NOT NULL,
    PRIMARY KEY (intent, language, source)
) STRICT, WITHOUT ROWID;
