-- Rows that cannot be written. `key` and `after` (the key before it, where its window began) are JSON
-- as in the checkpoints; `row_values` is a JSON object of column and text. `retry_range` is the range
-- that tries the row again, until it is known what became of it.
CREATE TABLE quarantine (
    id             INTEGER PRIMARY KEY,
    job            TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    key            TEXT NOT NULL,
    after          TEXT,
    range_id       INTEGER NOT NULL,
    row_values     TEXT NOT NULL,
    code           TEXT,
    message        TEXT NOT NULL,
    statement      TEXT NOT NULL,
    at             TEXT NOT NULL,
    attempts       INTEGER NOT NULL,
    state          TEXT NOT NULL,
    released_at    TEXT,
    released_by    TEXT,
    release_reason TEXT,
    retry_range    INTEGER,
    UNIQUE (job, generation, key)
) STRICT;
