-- What SQLite says, and what must happen next.
--
-- `-- expect: CLASS CODE`, by the extended code (https://www.sqlite.org/rescode.html); a text that
-- cannot be prepared has none. The classes: see postgres.sql.

PRAGMA foreign_keys = ON;
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n < 100), u INTEGER UNIQUE, txt TEXT,
    parent INTEGER REFERENCES parent, blob BLOB);
CREATE TABLE strict (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
CREATE TRIGGER guard BEFORE UPDATE ON t WHEN NEW.n = 13 BEGIN SELECT RAISE(ABORT, 'no thirteen'); END;
INSERT INTO parent VALUES (1);
INSERT INTO t (id, n, u, txt, parent) VALUES (1, 1, 1, 'no number', 1), (2, 2, 2, '{"a": ', NULL);
INSERT INTO strict VALUES (1, 1);

-- expect: poison 1299
UPDATE t SET n = NULL;
-- expect: poison 2067
UPDATE t SET u = 1;
-- expect: poison 1555
INSERT INTO t (id, n) VALUES (1, 1);
-- expect: poison 275
UPDATE t SET n = n + 100;
-- expect: poison 787
UPDATE t SET parent = 7;
-- expect: poison 787
DELETE FROM parent;
-- expect: poison 1811
UPDATE t SET n = 13;
-- expect: poison 3091
UPDATE strict SET n = 'x';
-- expect: poison 1
UPDATE t SET n = json_extract(txt, '$.a');
-- expect: poison 1
UPDATE t SET n = abs(-9223372036854775807 - id);
-- expect: poison 18
UPDATE t SET blob = zeroblob(2000000000 + id);
-- expect: fatal -
UPDATE t SET gone = 1;
-- expect: fatal -
UPDATE gone SET n = 1;
-- expect: fatal -
UPDATE t SET;
-- expect: fatal -
UPDATE t SET n = gone(n);
PRAGMA query_only = ON;
-- expect: fatal 8
UPDATE t SET n = 1;
PRAGMA query_only = OFF;
