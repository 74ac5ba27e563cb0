-- Batches of events that were counted, by their ids (UUIDv7), so that one that comes again is not.
CREATE TABLE counted_batches (
    id BLOB NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
