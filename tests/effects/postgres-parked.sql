-- Statements that take and leave their locks on the way, or run in no transaction. Each `-- hold:`
-- line is a transaction of its own that is in its way, released in turn when it waits for it; what
-- it holds or waits for then is what counts. `gate` lets an index build wait where all locks are
-- held.
CREATE FUNCTION gate(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN $1; END $$;
CREATE TABLE t (id integer PRIMARY KEY, a integer, b text);
CREATE INDEX t_a_idx ON t (a);
CREATE UNIQUE INDEX t_b_idx ON t (b);
CREATE TABLE refer (id integer PRIMARY KEY, t integer REFERENCES t (id));
CREATE TABLE gated (id integer PRIMARY KEY, a integer, b text);
CREATE INDEX gated_b_idx ON gated (b);
CREATE INDEX gated_a_idx ON gated (gate(a));
CREATE TABLE p (id integer NOT NULL, a integer) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
CREATE INDEX p_a_idx ON p (a);
CREATE TABLE d (id integer NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (0) TO (10);
CREATE TABLE d_rest PARTITION OF d DEFAULT;
CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t;
CREATE UNIQUE INDEX m_key ON m (id);
INSERT INTO t VALUES (1, 1, 'b'), (2, 2, 'c');
INSERT INTO refer VALUES (1, 1);
INSERT INTO gated VALUES (1, 1, 'b');
INSERT INTO p VALUES (1, 1), (11, 1);
INSERT INTO d VALUES (1);
-- cases

-- hold: INSERT INTO t VALUES (9, 9, 'z')
-- hold: SELECT 1 FROM refer
CREATE INDEX CONCURRENTLY i ON t (a, b)

-- hold: INSERT INTO t VALUES (9, 9, 'z')
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)

CREATE INDEX CONCURRENTLY t_a_idx ON t (a)

CREATE INDEX CONCURRENTLY i ON p (a)

-- hold: INSERT INTO p1 VALUES (9, 9)
CREATE INDEX CONCURRENTLY i ON p1 (id, a)

-- hold: SELECT pg_advisory_xact_lock(7)
CREATE INDEX CONCURRENTLY i ON t (gate(a))

-- hold: INSERT INTO refer VALUES (9, 1)
CREATE INDEX CONCURRENTLY ON refer (t)

-- hold: SELECT 1 FROM t
DROP INDEX CONCURRENTLY t_a_idx

-- hold: SELECT 1 FROM t
DROP INDEX CONCURRENTLY IF EXISTS t_b_idx

DROP INDEX CONCURRENTLY t_pkey

DROP INDEX CONCURRENTLY t_a_idx, t_b_idx

DROP INDEX CONCURRENTLY t_a_idx CASCADE

DROP INDEX CONCURRENTLY p_a_idx

DROP INDEX CONCURRENTLY nothing

-- hold: INSERT INTO t VALUES (9, 9, 'z')
-- hold: SELECT 1 FROM t
REINDEX INDEX CONCURRENTLY t_a_idx

-- hold: INSERT INTO t VALUES (9, 9, 'z')
-- hold: SELECT 1 FROM t
REINDEX TABLE CONCURRENTLY t

-- hold: INSERT INTO gated VALUES (9, 9, 'z')
REINDEX TABLE CONCURRENTLY gated

REINDEX INDEX CONCURRENTLY nothing

-- hold: INSERT INTO t VALUES (9, 9, 'z')
-- more: it waits before it takes the rest
REINDEX INDEX t_a_idx

-- hold: SELECT pg_advisory_xact_lock(7)
REINDEX INDEX gated_a_idx

-- hold: SELECT pg_advisory_xact_lock(7)
REINDEX TABLE gated

-- hold: LOCK TABLE ONLY p IN ROW EXCLUSIVE MODE
-- hold: INSERT INTO p2 VALUES (19, 9)
-- more: it goes from partition to partition
REINDEX TABLE p

-- hold: INSERT INTO p2 VALUES (19, 9)
-- more: it goes from partition to partition
REINDEX TABLE CONCURRENTLY p

-- hold: LOCK TABLE ONLY p IN ROW EXCLUSIVE MODE
-- hold: INSERT INTO p2 VALUES (19, 9)
-- more: it goes from partition to partition
REINDEX INDEX p_a_idx

-- more: the lock of the index is taken at the end, which a sample may miss
-- hold: LOCK TABLE ONLY p IN ACCESS SHARE MODE
-- hold: SELECT 1 FROM p1
ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY

ALTER TABLE d DETACH PARTITION d1 CONCURRENTLY

ALTER TABLE p DETACH PARTITION t CONCURRENTLY

-- hold: LOCK TABLE t IN SHARE MODE
-- more: it waits before it takes the rest
VACUUM t

-- hold: SELECT 1 FROM t
-- more: it waits before it takes the rest
VACUUM FULL t

-- hold: SELECT pg_advisory_xact_lock(7)
VACUUM FULL gated

-- hold: SELECT pg_advisory_xact_lock(7)
VACUUM ANALYZE gated

-- hold: SELECT pg_advisory_xact_lock(7)
VACUUM (FULL, ANALYZE) gated

-- hold: SELECT 1 FROM p1
-- more: it goes from partition to partition
VACUUM FULL p

-- hold: SELECT 1 FROM m
-- more: it waits before it takes the rest
VACUUM FULL m

-- hold: SELECT pg_advisory_xact_lock(7)
ANALYZE gated

-- hold: SELECT pg_advisory_xact_lock(7)
CLUSTER gated USING gated_b_idx

-- hold: SELECT pg_advisory_xact_lock(7)
CLUSTER gated USING gated_pkey

-- hold: SELECT 1 FROM p1
-- more: it goes from partition to partition
CLUSTER p USING p_a_idx

-- hold: SELECT pg_advisory_xact_lock(7)
CREATE INDEX i ON gated (gate(a), b)

-- hold: SELECT pg_advisory_xact_lock(7)
ALTER TABLE gated ALTER COLUMN b TYPE varchar(5)

-- hold: SELECT 1 FROM m
-- more: it waits before it takes the rest
REFRESH MATERIALIZED VIEW m

-- hold: INSERT INTO t VALUES (9, 9, 'z')
-- more: it waits before it takes the rest
ALTER TABLE refer ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id)

-- hold: SELECT 1 FROM t
DROP TABLE refer
