-- Everything that is no key and no column, on the schema of postgres-keys.sql: settings of tables,
-- partitions, indexes, views, triggers, policies, sequences, types, functions, schemas, rows.
-- cases

ALTER TABLE plain ALTER COLUMN a SET STATISTICS 10, ALTER COLUMN b SET STATISTICS 10

ALTER TABLE sales ALTER COLUMN amount SET STATISTICS 10

ALTER TABLE ONLY sales ALTER COLUMN amount SET STATISTICS 10

ALTER TABLE animals ALTER COLUMN name SET STATISTICS 10

ALTER TABLE books_lower_idx ALTER COLUMN 1 SET STATISTICS 10

ALTER INDEX books_lower_idx ALTER COLUMN 1 SET STATISTICS 10

ALTER TABLE plain ALTER COLUMN a RESET (n_distinct)

ALTER TABLE animals ALTER COLUMN name SET STORAGE EXTERNAL

ALTER TABLE authors ALTER COLUMN bio SET STORAGE MAIN

ALTER TABLE books ALTER COLUMN title SET STORAGE EXTERNAL

ALTER TABLE books ALTER COLUMN title SET COMPRESSION pglz

ALTER TABLE plain SET (toast.autovacuum_enabled = off)

ALTER TABLE plain SET (parallel_workers = 4)

ALTER TABLE plain SET (toast_tuple_target = 1024)

ALTER TABLE plain SET (user_catalog_table = true)

ALTER TABLE plain SET (vacuum_truncate = off)

ALTER TABLE plain SET (log_autovacuum_min_duration = 0)

ALTER TABLE plain SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 90)

ALTER TABLE plain RESET (autovacuum_enabled, toast.autovacuum_enabled)

ALTER TABLE sales SET (fillfactor = 70)

ALTER VIEW guarded_view SET (security_barrier = true)

ALTER VIEW guarded_view RESET (security_barrier)

ALTER VIEW guarded_view ALTER COLUMN b SET DEFAULT 'x'

ALTER VIEW guarded_view OWNER TO CURRENT_USER

ALTER VIEW guarded_view SET SCHEMA other

ALTER MATERIALIZED VIEW guarded_mat SET (fillfactor = 70)

ALTER MATERIALIZED VIEW guarded_mat ALTER COLUMN b SET STATISTICS 10

ALTER MATERIALIZED VIEW guarded_mat ALTER COLUMN b SET STORAGE EXTERNAL

ALTER MATERIALIZED VIEW guarded_mat CLUSTER ON guarded_mat_idx

ALTER MATERIALIZED VIEW guarded_mat SET SCHEMA other

ALTER MATERIALIZED VIEW guarded_mat RENAME COLUMN b TO bb

-- setup: SET allow_in_place_tablespaces = on; DROP TABLESPACE IF EXISTS backstop_elsewhere; CREATE TABLESPACE backstop_elsewhere LOCATION ''
ALTER MATERIALIZED VIEW guarded_mat SET TABLESPACE backstop_elsewhere

ALTER TABLE authors SET UNLOGGED

ALTER TABLE scratch SET LOGGED

ALTER TABLE sales SET UNLOGGED

-- setup: SET allow_in_place_tablespaces = on; DROP TABLESPACE IF EXISTS backstop_elsewhere; CREATE TABLESPACE backstop_elsewhere LOCATION ''
ALTER TABLE plain SET TABLESPACE backstop_elsewhere

ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default

-- more: it copies the file, and says nothing
-- setup: SET allow_in_place_tablespaces = on; DROP TABLESPACE IF EXISTS backstop_elsewhere; CREATE TABLESPACE backstop_elsewhere LOCATION ''
ALTER INDEX books_title_idx SET TABLESPACE backstop_elsewhere

-- setup: CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler
ALTER TABLE plain SET ACCESS METHOD heap2

-- only: 18
-- setup: CREATE ACCESS METHOD heap3 TYPE TABLE HANDLER heap_tableam_handler
ALTER TABLE sales SET ACCESS METHOD heap3

ALTER TABLE plain SET WITHOUT OIDS

ALTER TABLE plain REPLICA IDENTITY NOTHING

ALTER TABLE plain REPLICA IDENTITY DEFAULT

ALTER TABLE authors REPLICA IDENTITY USING INDEX authors_email_key

ALTER TABLE books REPLICA IDENTITY USING INDEX books_isbn_key

ALTER TABLE books REPLICA IDENTITY USING INDEX books_title_idx

ALTER TABLE sales OWNER TO CURRENT_USER

ALTER TABLE books OWNER TO CURRENT_USER

ALTER TABLE guarded DISABLE ROW LEVEL SECURITY

ALTER TABLE guarded NO FORCE ROW LEVEL SECURITY

ALTER TABLE guarded DISABLE TRIGGER ALL

ALTER TABLE guarded DISABLE TRIGGER USER

ALTER TABLE guarded ENABLE ALWAYS TRIGGER guarded_after

ALTER TABLE guarded ENABLE REPLICA TRIGGER guarded_after

ALTER TABLE guarded DISABLE TRIGGER nothing

ALTER TABLE authors DISABLE TRIGGER ALL

ALTER TABLE guarded DISABLE RULE guarded_rule

ALTER TABLE guarded ENABLE ALWAYS RULE guarded_rule

ALTER TABLE books CLUSTER ON books_title_idx

ALTER TABLE books SET WITHOUT CLUSTER

ALTER TABLE dogs NO INHERIT animals

ALTER TABLE plain INHERIT animals

-- setup: CREATE TABLE cats (id integer NOT NULL, name text, CONSTRAINT animals_name CHECK (name <> ''))
ALTER TABLE cats INHERIT animals

-- setup: CREATE TYPE row_type AS (a integer, b integer, c text, d text)
ALTER TABLE plain OF row_type

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE typed OF row_type
ALTER TABLE typed NOT OF

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE typed OF row_type
ALTER TYPE row_type ADD ATTRIBUTE z integer CASCADE

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE typed OF row_type
ALTER TYPE row_type ALTER ATTRIBUTE a TYPE bigint CASCADE

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE using_it (r row_type)
ALTER TYPE row_type ADD ATTRIBUTE z integer

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE using_it (r row_type)
ALTER TYPE row_type ALTER ATTRIBUTE a TYPE bigint

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE using_it (r row_type)
ALTER TYPE row_type RENAME ATTRIBUTE a TO z

-- setup: CREATE TYPE row_type AS (a integer); CREATE TABLE using_it (r row_type)
DROP TYPE row_type CASCADE

-- setup: CREATE TABLE using_it (p plain)
ALTER TABLE plain ADD COLUMN x integer

-- setup: CREATE TABLE using_it (p plain)
ALTER TABLE plain ADD COLUMN x integer DEFAULT 1

-- setup: CREATE TABLE using_it (p plain)
ALTER TABLE plain ALTER COLUMN a TYPE bigint

ALTER TABLE books SET SCHEMA other

ALTER TABLE animals SET SCHEMA other

ALTER TABLE sales SET SCHEMA other

ALTER TABLE other.elsewhere SET SCHEMA public

ALTER SEQUENCE free SET SCHEMA other

ALTER SEQUENCE free RENAME TO f

ALTER SEQUENCE free OWNED BY plain.b

ALTER SEQUENCE owned OWNED BY NONE

ALTER SEQUENCE free INCREMENT BY 2 CACHE 10

ALTER SEQUENCE free AS integer

ALTER SEQUENCE owned RESTART WITH 5

ALTER SEQUENCE free SET LOGGED

ALTER SEQUENCE free OWNER TO CURRENT_USER

DROP SEQUENCE owned

DROP SEQUENCE free CASCADE

SELECT nextval('free')

SELECT setval('free', 7)

CREATE SEQUENCE fresh OWNED BY plain.b

ALTER TABLE books ALTER COLUMN id SET GENERATED ALWAYS

ALTER TABLE books ALTER COLUMN id SET INCREMENT BY 2

ALTER TABLE books ALTER COLUMN id RESTART

ALTER TABLE books ALTER COLUMN id DROP IDENTITY IF EXISTS

ALTER TABLE plain ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY

ALTER TABLE plain ALTER COLUMN a DROP IDENTITY

ALTER TABLE plain ALTER COLUMN a DROP EXPRESSION

ALTER TABLE sales ATTACH PARTITION spare FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')

ALTER TABLE sales ATTACH PARTITION keyed FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

ALTER TABLE sales ATTACH PARTITION spare DEFAULT

-- setup: CREATE TABLE sales_rest PARTITION OF sales DEFAULT
ALTER TABLE sales ATTACH PARTITION keyed FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

-- setup: CREATE TABLE sales_rest PARTITION OF sales DEFAULT; ALTER TABLE sales_rest ADD CONSTRAINT away CHECK (day < '2025-01-01')
ALTER TABLE sales ATTACH PARTITION keyed FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

ALTER TABLE sales_2026 ATTACH PARTITION spare DEFAULT

-- setup: ALTER TABLE spare ADD CONSTRAINT spare_day CHECK (day >= '2028-01-01' AND day < '2029-01-01') NOT VALID
ALTER TABLE sales ATTACH PARTITION spare FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')

-- setup: ALTER TABLE spare ADD CONSTRAINT spare_day CHECK (day >= '2028-03-01' AND day < '2028-06-01')
ALTER TABLE sales ATTACH PARTITION spare FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')

-- setup: ALTER TABLE keyed ADD CONSTRAINT keyed_fk FOREIGN KEY (region) REFERENCES regions (code)
ALTER TABLE sales ATTACH PARTITION keyed FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

-- setup: CREATE INDEX keyed_amount_idx ON keyed (amount)
ALTER TABLE sales ATTACH PARTITION keyed FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

ALTER TABLE sales DETACH PARTITION sales_2025

ALTER TABLE sales DETACH PARTITION sales_2026

ALTER TABLE sales_2026 DETACH PARTITION sales_2026_h1

ALTER TABLE sales DETACH PARTITION spare

ALTER TABLE sales DETACH PARTITION sales_2025 CONCURRENTLY

CREATE TABLE fresh PARTITION OF sales FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')

CREATE TABLE fresh PARTITION OF sales_2026 FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')

-- unseen: sales_rest
-- setup: CREATE TABLE sales_rest PARTITION OF sales DEFAULT
CREATE TABLE fresh PARTITION OF sales FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')

CREATE TABLE fresh PARTITION OF sales DEFAULT

CREATE TABLE fresh (a bigint REFERENCES authors, b bigint REFERENCES books, c text REFERENCES regions)

CREATE TABLE fresh (a bigint, day date, FOREIGN KEY (a, day) REFERENCES sales (id, day))

CREATE TABLE fresh (id integer PRIMARY KEY, up integer REFERENCES fresh (id))

CREATE TABLE fresh (id integer DEFAULT nextval('free'), e bigint REFERENCES other.elsewhere)

CREATE TABLE IF NOT EXISTS plain (a integer)

CREATE TABLE plain (a integer)

CREATE TABLE fresh (LIKE books)

CREATE TABLE fresh (LIKE guarded_view)

CREATE TABLE fresh () INHERITS (animals, plain)

CREATE TABLE fresh (a integer) PARTITION BY HASH (a)

CREATE TABLE fresh AS SELECT b.id, a.email FROM books b JOIN authors a ON a.id = b.author

CREATE TABLE fresh AS TABLE sales

CREATE TABLE fresh AS SELECT * FROM guarded_outer WITH NO DATA

CREATE UNLOGGED TABLE fresh (a integer)

CREATE TABLE other.fresh (id integer REFERENCES public.animals (id))

CREATE TEMP TABLE fresh AS SELECT * FROM plain

DROP TABLE authors

DROP TABLE books

DROP TABLE books CASCADE

DROP TABLE loans

DROP TABLE refunds

DROP TABLE regions CASCADE

DROP TABLE sales

DROP TABLE sales CASCADE

DROP TABLE sales_2025

DROP TABLE sales_2026

DROP TABLE sales_2026_h1

DROP TABLE animals

DROP TABLE puppies

DROP TABLE guarded

DROP TABLE guarded CASCADE

DROP TABLE plain

DROP TABLE books, loans

DROP TABLE other.elsewhere

DROP TABLE "Odd Name"

DROP TABLE nothing

DROP TABLE IF EXISTS nothing, plain

DROP TABLE guarded_view

DROP SCHEMA other

DROP SCHEMA other CASCADE

ALTER SCHEMA other RENAME TO another

TRUNCATE books

TRUNCATE books, loans

TRUNCATE authors CASCADE

TRUNCATE sales

TRUNCATE sales, refunds

TRUNCATE sales_2025, refunds

TRUNCATE refunds

TRUNCATE ONLY animals

TRUNCATE animals

TRUNCATE books, loans RESTART IDENTITY

TRUNCATE plain RESTART IDENTITY

TRUNCATE guarded

TRUNCATE guarded_view

CREATE INDEX i ON books (pages) INCLUDE (price) WITH (fillfactor = 70)

CREATE INDEX i ON books USING gin (to_tsvector('english', title))

CREATE INDEX i ON books USING hash (title)

CREATE INDEX i ON books USING brin (price)

CREATE UNIQUE INDEX i ON sales (id, day)

CREATE UNIQUE INDEX i ON sales (id)

CREATE INDEX i ON ONLY animals (name)

CREATE INDEX i ON ONLY sales_2026 (amount)

CREATE INDEX i ON sales_2026 (amount, id)

CREATE INDEX i ON other.elsewhere (b)

CREATE INDEX i ON guarded_view (b)

CREATE INDEX ON plain (a)

CREATE INDEX books_title_idx ON books (title)

CREATE INDEX IF NOT EXISTS i ON books (price)

CREATE INDEX CONCURRENTLY i ON plain (a)

DROP INDEX books_isbn_key

DROP INDEX books_title_idx, books_lower_idx

DROP INDEX sales_amount_idx

DROP INDEX sales_2025_amount_idx

DROP INDEX guarded_mat_idx

DROP INDEX nothing

DROP INDEX CONCURRENTLY books_title_idx

ALTER INDEX books_title_idx RESET (fillfactor)

ALTER INDEX IF EXISTS nothing RENAME TO i

ALTER INDEX books_pkey RENAME TO pk

ALTER INDEX sales_amount_idx RENAME TO i

ALTER INDEX plain RENAME TO i

REINDEX INDEX books_pkey

REINDEX INDEX sales_amount_idx

REINDEX TABLE books

REINDEX TABLE sales_2025

REINDEX TABLE plain

REINDEX TABLE guarded_mat

REINDEX TABLE CONCURRENTLY plain

CLUSTER books USING books_title_idx

CLUSTER books

-- setup: ALTER TABLE books CLUSTER ON books_title_idx
CLUSTER books

-- only: 18
CLUSTER sales USING sales_amount_idx

CLUSTER guarded_mat USING guarded_mat_idx

VACUUM plain

VACUUM FULL plain

ANALYZE sales

ANALYZE animals

ANALYZE books (title)

ANALYZE guarded_mat

ANALYZE plain, books

LOCK TABLE animals

LOCK TABLE ONLY animals IN ACCESS SHARE MODE

LOCK TABLE guarded_view IN SHARE ROW EXCLUSIVE MODE

LOCK guarded_outer IN ROW SHARE MODE

LOCK TABLE sales IN ACCESS EXCLUSIVE MODE NOWAIT

LOCK TABLE sales_2026 IN SHARE UPDATE EXCLUSIVE MODE

LOCK TABLE guarded_mat IN SHARE MODE

REFRESH MATERIALIZED VIEW guarded_mat

REFRESH MATERIALIZED VIEW CONCURRENTLY guarded_mat

REFRESH MATERIALIZED VIEW guarded_view

-- unseen: guarded_mat
-- setup: CREATE UNIQUE INDEX guarded_mat_key ON guarded_mat (id)
REFRESH MATERIALIZED VIEW CONCURRENTLY guarded_mat

CREATE VIEW fresh AS SELECT g.id, b.title FROM guarded_view g, books b

CREATE VIEW fresh AS SELECT count(*) FROM sales

CREATE VIEW fresh AS SELECT 1

CREATE OR REPLACE VIEW guarded_view AS SELECT id, b, a FROM guarded

CREATE OR REPLACE VIEW guarded_view AS SELECT id FROM guarded

CREATE OR REPLACE VIEW fresh AS SELECT a FROM plain

CREATE TEMP VIEW fresh AS SELECT a FROM plain

CREATE RECURSIVE VIEW fresh (n) AS SELECT a FROM plain UNION ALL SELECT n + 1 FROM fresh WHERE n < 5

CREATE MATERIALIZED VIEW fresh AS SELECT id FROM guarded_outer

CREATE MATERIALIZED VIEW fresh AS SELECT a FROM plain WITH NO DATA

CREATE MATERIALIZED VIEW IF NOT EXISTS guarded_mat AS SELECT 1 AS id

DROP VIEW guarded_view

DROP VIEW guarded_view CASCADE

DROP VIEW guarded_outer

DROP MATERIALIZED VIEW guarded_mat

DROP VIEW guarded_mat

CREATE TRIGGER t AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION noted_more()

CREATE TRIGGER t AFTER INSERT ON animals FOR EACH STATEMENT EXECUTE FUNCTION noted_more()

CREATE TRIGGER t INSTEAD OF INSERT ON guarded_view FOR EACH ROW EXECUTE FUNCTION noted()

CREATE TRIGGER t AFTER DELETE ON plain REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION noted_more()

CREATE TRIGGER t BEFORE TRUNCATE ON plain FOR EACH STATEMENT EXECUTE FUNCTION noted_more()

CREATE CONSTRAINT TRIGGER t AFTER INSERT ON loans FROM books DEFERRABLE FOR EACH ROW EXECUTE FUNCTION noted_more()

CREATE TRIGGER guarded_before BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION noted()

DROP TRIGGER guarded_before ON guarded

DROP TRIGGER IF EXISTS nothing ON guarded

DROP TRIGGER nothing ON guarded

-- setup: CREATE TRIGGER t AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION noted_more()
DROP TRIGGER t ON sales

-- setup: CREATE TRIGGER t AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION noted_more()
ALTER TRIGGER t ON sales RENAME TO u

-- setup: CREATE TRIGGER t AFTER INSERT ON sales FOR EACH ROW EXECUTE FUNCTION noted_more()
ALTER TABLE sales DISABLE TRIGGER t

DROP FUNCTION noted()

DROP FUNCTION noted() CASCADE

CREATE POLICY p ON guarded FOR SELECT USING (EXISTS (SELECT 1 FROM authors))

ALTER POLICY guarded_policy ON guarded RENAME TO q

DROP POLICY guarded_policy ON guarded

DROP POLICY IF EXISTS nothing ON guarded

CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO scratch VALUES (9, 9)

CREATE OR REPLACE RULE guarded_rule AS ON DELETE TO guarded DO INSTEAD NOTHING

ALTER RULE guarded_rule ON guarded RENAME TO r

DROP RULE guarded_rule ON guarded

COMMENT ON CONSTRAINT books_author_fk ON books IS 'x'

COMMENT ON TRIGGER guarded_before ON guarded IS 'x'

COMMENT ON VIEW guarded_view IS 'x'

COMMENT ON POLICY guarded_policy ON guarded IS 'x'

COMMENT ON SEQUENCE free IS 'x'

COMMENT ON FUNCTION noted() IS 'x'

COMMENT ON SCHEMA other IS 'x'

GRANT INSERT (a) ON plain TO PUBLIC

GRANT SELECT ON guarded_view TO PUBLIC

GRANT USAGE ON SEQUENCE free TO PUBLIC

GRANT SELECT ON ALL TABLES IN SCHEMA other TO PUBLIC

GRANT USAGE ON SCHEMA other TO PUBLIC

GRANT EXECUTE ON FUNCTION noted() TO PUBLIC

CREATE STATISTICS s2 (mcv) ON a, c FROM plain

ALTER STATISTICS plain_stats SET STATISTICS 100

ALTER STATISTICS plain_stats RENAME TO s2

DROP STATISTICS plain_stats

COMMENT ON STATISTICS plain_stats IS 'x'

CREATE PUBLICATION pub FOR TABLE plain, books

-- setup: DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub FOR TABLE plain
ALTER PUBLICATION pub ADD TABLE books

-- setup: DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub FOR TABLE plain
ALTER PUBLICATION pub DROP TABLE plain

-- setup: DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub FOR TABLE plain
ALTER TABLE plain DROP COLUMN c

-- setup: DROP PUBLICATION IF EXISTS pub; CREATE PUBLICATION pub FOR TABLE plain
DROP PUBLICATION pub

CREATE FUNCTION f(integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM plain WHERE a = $1; END

CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM plain'

CREATE FUNCTION f() RETURNS SETOF plain LANGUAGE sql AS 'SELECT * FROM plain'

CREATE FUNCTION f(p plain) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN p.a; END'

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(c) FROM plain; END
ALTER TABLE plain DROP COLUMN c

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(c) FROM plain'
ALTER TABLE plain DROP COLUMN c

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(c) FROM plain; END
DROP FUNCTION f()

CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM plain'

CREATE AGGREGATE agg (integer) (sfunc = int4pl, stype = integer)

CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION noted()

CREATE EXTENSION plpgsql

CREATE COLLATION coll FROM "C"

CREATE TYPE fresh AS ENUM ('a')

CREATE DOMAIN fresh AS integer CHECK (VALUE > 0)

INSERT INTO books (author, title) VALUES (1, 'x')

INSERT INTO loans VALUES ('q', '2026-02-02', 1)

INSERT INTO sales VALUES (5, 'us', '2025-06-06', 1)

INSERT INTO sales_2025 VALUES (5, 'us', '2025-06-06', 1)

INSERT INTO guarded VALUES (5, 5, 'b', 's')

INSERT INTO guarded_view VALUES (5, 'b')

INSERT INTO authors (id, email) VALUES (1, 'c@x') ON CONFLICT (id) DO UPDATE SET email = excluded.email

INSERT INTO plain SELECT id, pages, title FROM books WHERE author IN (SELECT id FROM authors)

INSERT INTO plain TABLE plain

UPDATE authors SET bio = 'x'

UPDATE authors SET id = 7 WHERE id = 1

UPDATE books SET title = 'z' FROM authors a WHERE a.id = books.author

UPDATE loans SET book = 2

UPDATE animals SET name = 'z'

UPDATE ONLY animals SET name = 'z'

-- more: the planner leaves out partitions
UPDATE sales SET amount = 3 WHERE day = '2025-05-05'

UPDATE sales SET day = '2026-05-06', region = 'eu' WHERE id = 1

UPDATE guarded_view SET b = 'z'

UPDATE "Odd Name" SET "select" = 'z'

DELETE FROM authors WHERE id = 1

DELETE FROM books WHERE id = 1

DELETE FROM loans USING books WHERE books.id = loans.book

DELETE FROM sales

DELETE FROM sales_2026

DELETE FROM sales WHERE id = 2

-- more: no row is hit
DELETE FROM regions WHERE code = 'nothing'

DELETE FROM guarded

DELETE FROM ONLY animals

MERGE INTO plain p USING (SELECT id, pages FROM books) b ON p.a = b.id WHEN NOT MATCHED THEN INSERT VALUES (b.id, b.pages) WHEN MATCHED THEN DELETE

SELECT * FROM books FOR NO KEY UPDATE

SELECT * FROM books JOIN authors a ON a.id = author FOR SHARE OF a

-- more: the planner leaves out partitions
SELECT * FROM sales WHERE day = '2025-05-05'

SELECT * FROM animals

SELECT count(*) FROM (SELECT 1 FROM guarded_outer) q, plain

SELECT * FROM guarded_mat

TABLE plain

VALUES (1)

WITH x AS (SELECT * FROM books) SELECT (SELECT count(*) FROM plain) FROM x

SELECT a INTO TEMP fresh FROM plain

EXPLAIN SELECT * FROM plain

EXPLAIN ANALYZE UPDATE plain SET a = 1

COPY plain TO '/dev/null'

COPY (SELECT * FROM books) TO '/dev/null'

-- more: there are no rows
COPY other.elsewhere FROM '/dev/null'

DECLARE cur CURSOR FOR SELECT * FROM plain

PREPARE prep AS SELECT * FROM plain

DO $$ BEGIN CREATE INDEX i ON plain (a); DROP TABLE scratch; END $$

DO $$ DECLARE n integer; BEGIN SELECT count(*) INTO n FROM books; RAISE DEBUG 'n'; END $$

DO $$ BEGIN FOR i IN 1..2 LOOP INSERT INTO plain VALUES (i); END LOOP; END $$

-- more: the lock goes with what was rolled back
DO $$ BEGIN BEGIN ALTER TABLE plain ADD COLUMN a integer; EXCEPTION WHEN duplicate_column THEN NULL; END; END $$

-- more: the catalog is not compared
DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_class WHERE relname = 'plain') THEN CREATE TABLE plain (a integer); END IF; END $$

DO $$ BEGIN PERFORM 1 FROM plain FOR UPDATE; END $$

-- setup: CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN DELETE FROM plain; END'
CALL p()

-- setup: CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM plain; END'
SELECT f()

ALTER TABLE books ADD COLUMN x integer, ADD CONSTRAINT c CHECK (pages < 10000), ALTER COLUMN title SET DEFAULT 'x'

ALTER TABLE books ALTER COLUMN title TYPE varchar, ALTER COLUMN pages TYPE bigint

ALTER TABLE books ALTER COLUMN pages TYPE bigint, ADD CONSTRAINT u UNIQUE (title)

ALTER TABLE books ADD CONSTRAINT f FOREIGN KEY (author) REFERENCES authors (id), ALTER COLUMN pages TYPE bigint

ALTER TABLE plain ADD COLUMN x bigint REFERENCES authors (id), ADD COLUMN y bigint REFERENCES books (id)

ALTER TABLE plain ALTER COLUMN a SET STATISTICS 5, SET (fillfactor = 80)

ALTER TABLE plain VALIDATE CONSTRAINT nothing, ADD COLUMN x integer

ALTER TABLE plain DROP COLUMN c, ADD COLUMN c integer

ALTER TABLE plain ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE text, ALTER COLUMN a SET DEFAULT 'x'

ALTER TABLE plain ADD COLUMN x integer DEFAULT 1, ADD PRIMARY KEY (x)

ALTER TABLE IF EXISTS nothing DROP COLUMN c

ALTER TABLE nothing DROP COLUMN c

ALTER VIEW IF EXISTS nothing RENAME TO x

SET CONSTRAINTS ALL IMMEDIATE

SET LOCAL lock_timeout = '2s'

SET search_path = other

NOTIFY gone

DISCARD PLANS

CREATE ROLE nobody_of_ours

SECURITY LABEL ON TABLE plain IS 'x'

IMPORT FOREIGN SCHEMA x FROM SERVER y INTO other

ALTER FUNCTION noted() RENAME TO n

ALTER FUNCTION noted() SET SCHEMA other

ALTER FUNCTION noted() IMMUTABLE

CREATE OR REPLACE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'

CREATE SCHEMA made CREATE TABLE inside (id bigint REFERENCES public.authors (id))

CREATE SCHEMA IF NOT EXISTS other

ALTER TABLE authors ALTER COLUMN boss DROP DEFAULT, ALTER COLUMN born SET DEFAULT now()

ALTER TABLE ONLY animals RENAME COLUMN name TO called

ALTER TABLE IF EXISTS plain RENAME COLUMN a TO z

ALTER TABLE plain RENAME COLUMN a TO b

ALTER TABLE plain RENAME COLUMN nothing TO z

ALTER TABLE plain RENAME TO scratch

ALTER TABLE ONLY animals ADD CONSTRAINT c CHECK (id > 0)

ALTER TABLE ONLY sales ADD CONSTRAINT c CHECK (amount > 0)

ALTER TABLE ONLY animals ALTER COLUMN name SET DEFAULT 'x'

ALTER TABLE ONLY animals DROP CONSTRAINT animals_name

ALTER TABLE animals ALTER COLUMN name DROP NOT NULL

ALTER TABLE dogs INHERIT plain

ALTER TABLE books ADD CONSTRAINT c CHECK (true) NOT VALID, ADD COLUMN x integer DEFAULT 1

-- setup: ALTER TABLE books ADD CONSTRAINT f2 FOREIGN KEY (author) REFERENCES authors (id) NOT VALID
ALTER TABLE books VALIDATE CONSTRAINT f2

-- setup: ALTER TABLE authors ADD CONSTRAINT self2 FOREIGN KEY (boss) REFERENCES authors (id) NOT VALID
ALTER TABLE authors VALIDATE CONSTRAINT self2

-- setup: ALTER TABLE plain ADD CONSTRAINT c CHECK (a > 0)
ALTER TABLE plain VALIDATE CONSTRAINT c

-- setup: CREATE UNIQUE INDEX books_new ON books (id)
ALTER TABLE books ADD CONSTRAINT books_new UNIQUE USING INDEX books_new DEFERRABLE

-- setup: CREATE UNIQUE INDEX books_new ON books (lower(title))
ALTER TABLE books ADD CONSTRAINT books_new UNIQUE USING INDEX books_new

-- setup: CREATE UNIQUE INDEX plain_new ON plain (a, b); ALTER TABLE plain ADD CONSTRAINT nn CHECK (a IS NOT NULL AND b IS NOT NULL)
ALTER TABLE plain ADD PRIMARY KEY USING INDEX plain_new

-- setup: CREATE INDEX s25 ON sales_2025 (amount, id); CREATE INDEX s_all ON ONLY sales (amount, id)
ALTER INDEX s_all ATTACH PARTITION s25

-- setup: ALTER TABLE plain ADD COLUMN tiny integer DEFAULT 1
ALTER TABLE plain ALTER COLUMN tiny TYPE bigint

-- setup: CREATE VIEW v AS SELECT a AS renamed FROM plain
ALTER TABLE plain RENAME COLUMN a TO z

-- setup: CREATE VIEW v AS SELECT * FROM plain
ALTER TABLE plain DROP COLUMN d

-- setup: CREATE VIEW v AS SELECT a FROM plain
DROP TABLE plain CASCADE

-- setup: CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO scratch VALUES (9, 9)
INSERT INTO plain VALUES (1)

-- setup: CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM scratch; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION f()
INSERT INTO plain VALUES (1)

-- setup: CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO scratch VALUES (9, 9)
DROP TABLE scratch

-- setup: CREATE RULE r AS ON INSERT TO plain DO ALSO INSERT INTO scratch VALUES (9, 9)
DROP TABLE scratch CASCADE

-- setup: CREATE UNLOGGED TABLE leaf (id integer PRIMARY KEY, up integer REFERENCES scratch (id))
ALTER TABLE leaf SET LOGGED

-- setup: ALTER TABLE plain ALTER COLUMN a SET NOT NULL
ALTER TABLE plain ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY (START 5)

-- setup: CREATE TABLE self (id integer PRIMARY KEY, up integer REFERENCES self (id))
DROP TABLE self

-- setup: CREATE TABLE self (id integer PRIMARY KEY, up integer REFERENCES self (id))
TRUNCATE self

-- setup: CREATE TABLE first (id integer PRIMARY KEY, b integer); CREATE TABLE second (id integer PRIMARY KEY REFERENCES first (id)); ALTER TABLE first ADD CONSTRAINT circle FOREIGN KEY (b) REFERENCES second (id)
DROP TABLE first CASCADE

-- setup: CREATE TABLE first (id integer PRIMARY KEY, b integer); CREATE TABLE second (id integer PRIMARY KEY REFERENCES first (id)); ALTER TABLE first ADD CONSTRAINT circle FOREIGN KEY (b) REFERENCES second (id)
DROP TABLE first, second

CREATE POLICY guarded_policy ON guarded USING (true)

ALTER POLICY nothing ON guarded USING (true)

DROP POLICY nothing ON guarded

CREATE RULE guarded_rule AS ON DELETE TO guarded DO ALSO NOTHING

DROP RULE nothing ON guarded

DROP RULE IF EXISTS nothing ON guarded

ALTER TABLE guarded DISABLE RULE nothing

ALTER TABLE plain ALTER COLUMN a DROP IDENTITY IF EXISTS

ALTER TABLE plain ALTER COLUMN a DROP EXPRESSION IF EXISTS

ALTER TABLE books ALTER COLUMN id DROP IDENTITY

ALTER TABLE ONLY animals ADD CONSTRAINT c CHECK (id > 0) NO INHERIT

CREATE EXTENSION IF NOT EXISTS plpgsql

CREATE SCHEMA made CREATE TABLE t (a integer) CREATE INDEX ON t (a) CREATE VIEW v AS SELECT p.d, t.a FROM public.plain p, t

CREATE TRIGGER x BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION noted()

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'
CREATE TRIGGER x BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION f()

-- setup: CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END'
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION f()

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(c) FROM plain; END
DROP TABLE plain

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(c) FROM plain; END
DROP TABLE plain CASCADE

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(c) FROM plain; END
ALTER TABLE plain ALTER COLUMN c TYPE varchar

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM guarded_outer)
DROP VIEW guarded_outer

-- setup: CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM guarded_outer'
DROP VIEW guarded_outer

-- setup: ALTER TABLE books CLUSTER ON books_title_idx; ALTER TABLE books SET WITHOUT CLUSTER
CLUSTER books

ALTER TABLE books ALTER COLUMN 1 SET STATISTICS 10

ALTER INDEX IF EXISTS nothing ALTER COLUMN 1 SET STATISTICS 10
