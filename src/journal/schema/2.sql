-- Where a job has no fence, the journal alone knows which table its cursor belongs to.
ALTER TABLE job ADD COLUMN table_identity TEXT;

-- When the present run took the job; absent while its runner only prepares to.
ALTER TABLE job ADD COLUMN taken_at TEXT;

-- A kill that stays until a person releases it. `halt` is the number of the row of
-- `backstop_switch` in the target that says the same, where there is one.
CREATE TABLE latch (
    id             INTEGER PRIMARY KEY,
    scope          TEXT NOT NULL,
    at             TEXT NOT NULL,
    by_whom        TEXT NOT NULL,
    reason         TEXT,
    halt           INTEGER,
    released_at    TEXT,
    released_by    TEXT,
    release_reason TEXT
) STRICT;
