-- Changes of tables that a tool, or the server, makes online. `plan` is what the tool was started by;
-- `before` and `copy` are the shapes of the table and of the tool's altered copy, by which the end is judged.
-- `pid` and `pid_started` name the tool's process, also for a supervisor that was not its parent.
CREATE TABLE handoff (
    name         TEXT PRIMARY KEY,
    migration    TEXT NOT NULL,
    url_env      TEXT NOT NULL,
    address      TEXT NOT NULL,
    schema_name  TEXT NOT NULL,
    table_name   TEXT NOT NULL,
    tool         TEXT NOT NULL,
    change       TEXT NOT NULL,
    change_hash  TEXT NOT NULL,
    plan         TEXT NOT NULL,
    before       TEXT NOT NULL,
    copy         TEXT,
    pid          INTEGER,
    pid_started  INTEGER,
    state        TEXT NOT NULL,
    reason       TEXT,
    progress     TEXT NOT NULL,
    supervisor   TEXT,
    heartbeat_at TEXT,
    started_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    ended_at     TEXT
) STRICT;

-- What people ask of the supervisor, and what it answered.
CREATE TABLE handoff_request (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    handoff     TEXT NOT NULL,
    verb        TEXT NOT NULL,
    argument    TEXT,
    by_whom     TEXT NOT NULL,
    reason      TEXT,
    answered_at TEXT,
    carried     INTEGER,
    answer      TEXT
) STRICT;

CREATE INDEX handoff_request_open ON handoff_request (handoff, id) WHERE answered_at IS NULL;
