CREATE TABLE job (
    name           TEXT PRIMARY KEY,
    target         TEXT NOT NULL,
    address        TEXT NOT NULL,
    table_name     TEXT NOT NULL,
    key_columns    TEXT NOT NULL,
    spec_path      TEXT NOT NULL,
    spec_hash      TEXT NOT NULL,
    spec           TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT,
    estimated_rows INTEGER,
    runner         TEXT,
    heartbeat_at   TEXT,
    started_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    job          TEXT NOT NULL REFERENCES job (name),
    generation   INTEGER NOT NULL,
    range_id     INTEGER NOT NULL,
    lo           TEXT,
    hi           TEXT NOT NULL,
    cursor_at    TEXT,
    epoch        INTEGER NOT NULL,
    batches      INTEGER NOT NULL,
    rows_scanned INTEGER NOT NULL,
    rows_changed INTEGER NOT NULL,
    done         INTEGER NOT NULL,
    updated_at   TEXT NOT NULL,
    PRIMARY KEY (job, generation, range_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    id   INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,
    job  TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;

CREATE INDEX event_by_job ON event (job, id);

CREATE TABLE command (
    id      INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    job     TEXT NOT NULL,
    action  TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    reason  TEXT,
    seen_at TEXT
) STRICT;

CREATE INDEX command_by_job ON command (job, id);
