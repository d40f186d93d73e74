-- A verification under way: what it was begun for, and what is settled of its first look.
CREATE TABLE verification (
    job        TEXT PRIMARY KEY,
    generation INTEGER NOT NULL,
    spec_hash  TEXT NOT NULL,
    batches    INTEGER NOT NULL,
    look       INTEGER NOT NULL,
    bound      TEXT,
    settled    TEXT NOT NULL,
    started_at TEXT NOT NULL
) STRICT;

-- How far it is, range by range, and what it found there.
CREATE TABLE verification_range (
    job       TEXT NOT NULL,
    range_id  INTEGER NOT NULL,
    lo        TEXT,
    hi        TEXT NOT NULL,
    cursor_at TEXT,
    done      INTEGER NOT NULL,
    expects   INTEGER NOT NULL,
    tally     TEXT NOT NULL,
    PRIMARY KEY (job, range_id)
) STRICT, WITHOUT ROWID;

-- What the last verification that came to its end reported.
CREATE TABLE verification_report (
    job    TEXT PRIMARY KEY,
    at     TEXT NOT NULL,
    passed INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT;
