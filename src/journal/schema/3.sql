-- Rows that the server believes are left in the range.
ALTER TABLE checkpoint ADD COLUMN rows_left INTEGER;

-- What a person changed of a running job's settings. It stands until the job is finished, also
-- when its runner is started again.
CREATE TABLE setting (
    job     TEXT NOT NULL,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    at      TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    reason  TEXT,
    PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;
