-- Both sides of every version boundary that the gate knows of PostgreSQL. `-- 11: …` says what is
-- predicted for that version; the line before it is the last version that does otherwise.
-- `-- inside:` puts the statement into a transaction, `-- lock:` looks at one relation alone. `-- from:`
-- is what the release notes of that version (appendix E of the manual) say, with their own words in
-- quotes. On the servers at hand the same cases run as those of `postgres.sql` do.
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE customers (id integer PRIMARY KEY, name text);
CREATE TABLE orders (id integer NOT NULL, customer_id integer, note text, at timestamp, amount integer);
CREATE INDEX orders_note_idx ON orders (note);
CREATE TABLE parted (id integer NOT NULL, at date NOT NULL, kind integer) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE loose (id integer NOT NULL, at date NOT NULL, kind integer);
CREATE SEQUENCE counter;
-- cases

-- from: 11: "Allow ALTER TABLE to add a column with a non-null default without doing a table rewrite"
-- 10: rewrites orders, ACCESS EXCLUSIVE
-- 11: ACCESS EXCLUSIVE
ALTER TABLE orders ADD COLUMN x integer DEFAULT 5

-- from: 11: "This is enabled when the default value is a constant"; a stable one is computed once
-- 10: rewrites orders, ACCESS EXCLUSIVE
-- 11: ACCESS EXCLUSIVE
ALTER TABLE orders ADD COLUMN x timestamptz NOT NULL DEFAULT now()

-- from: 11: "Add SQL-level procedures, which can start and commit their own transactions"
-- 10: refused
-- 11: no lock
CREATE PROCEDURE nothing() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$

-- from: 11: "Allow B-tree indexes to include columns that are not part of the search key"
-- 10: refused
-- 11: indexes orders, SHARE
CREATE INDEX ON orders (id) INCLUDE (amount)

-- from: 11: "Allow the creation of partitions based on hashing a key column"
-- setup: CREATE TABLE hashed (id integer) PARTITION BY HASH (id)
-- 10: refused
-- 11: ACCESS EXCLUSIVE
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0)

-- from: 11: "Allow partitioned tables to have a default partition"
-- 10: refused
-- 11: ACCESS EXCLUSIVE
CREATE TABLE parted_rest PARTITION OF parted DEFAULT

-- from: 11: "Support indexes on partitioned tables"
-- 10: refused
-- 11: indexes parted_1, SHARE
CREATE INDEX ON parted (kind)

-- from: 11: unique indexes and primary keys on partitioned tables, over the partition key
-- 10: refused
-- 11: indexes parted_1, ACCESS EXCLUSIVE
ALTER TABLE parted ADD PRIMARY KEY (id, at)

-- from: 11: unique indexes and primary keys on partitioned tables, over the partition key
-- 10: refused
-- 11: no lock
CREATE TABLE keyed (id integer PRIMARY KEY) PARTITION BY RANGE (id)

-- from: 11: "Allow foreign keys on partitioned tables"
-- 10: refused
-- 11: scans parted_1, SHARE ROW EXCLUSIVE
ALTER TABLE parted ADD CONSTRAINT parted_fk FOREIGN KEY (kind) REFERENCES customers (id)

-- from: 12: "Allow ALTER TABLE ... SET NOT NULL to avoid unnecessary table scans"
-- setup: ALTER TABLE orders ADD CONSTRAINT note_there CHECK (note IS NOT NULL)
-- 11: scans orders, ACCESS EXCLUSIVE
-- 12: ACCESS EXCLUSIVE
ALTER TABLE orders ALTER COLUMN note SET NOT NULL

-- from: 12: "Allow ALTER TABLE ... SET DATA TYPE changing between timestamp and timestamptz to avoid a table rewrite when the session time zone is UTC"
-- 11: rewrites orders, ACCESS EXCLUSIVE
-- 12: ACCESS EXCLUSIVE
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz

-- from: 12: "Add REINDEX CONCURRENTLY option to allow reindexing without locking out writes"
-- 11: refused
-- 12: indexes orders, SHARE UPDATE EXCLUSIVE
REINDEX INDEX CONCURRENTLY orders_note_idx

-- from: 12: "Allow foreign keys to reference partitioned tables"
-- setup: CREATE TABLE many (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE many_1 PARTITION OF many FOR VALUES FROM (1) TO (100)
-- 11: refused
-- 12: scans orders, SHARE ROW EXCLUSIVE
ALTER TABLE orders ADD CONSTRAINT orders_many FOREIGN KEY (id) REFERENCES many (id)

-- from: 12: "Allow ATTACH PARTITION to be performed with reduced locking requirements"
-- setup: ALTER TABLE loose ADD CONSTRAINT in_2027 CHECK (at >= '2027-01-01' AND at < '2028-01-01')
-- lock: parted
-- 11: ACCESS EXCLUSIVE
-- 12: SHARE UPDATE EXCLUSIVE
ALTER TABLE parted ATTACH PARTITION loose FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')

-- from: 12: renaming an index takes less of a lock (ALTER INDEX in the manual)
-- 11: ACCESS EXCLUSIVE
-- 12: SHARE UPDATE EXCLUSIVE
ALTER INDEX orders_note_idx RENAME TO orders_by_note

-- from: 12: "Previously, ALTER TYPE ... ADD VALUE could not be called in a transaction block, unless it was part of the same transaction that created the enumerated type"
-- inside: yes
-- 11: refused
-- 12: no lock
ALTER TYPE mood ADD VALUE 'calm'

-- from: 12: "Add support for generated columns"
-- 11: refused
-- 12: rewrites orders, ACCESS EXCLUSIVE
ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (amount * 2) STORED

-- from: 12: "Add command CREATE ACCESS METHOD to create new table types"; CREATE TABLE … USING with it
-- 11: refused
-- 12: no lock
CREATE TABLE heaped (id integer) USING heap

-- from: 12: "Allow common table expressions (CTEs) to be inlined into the outer query", unless MATERIALIZED
-- 11: refused
-- 12: ACCESS SHARE
WITH found AS MATERIALIZED (SELECT id FROM orders) SELECT id FROM found

-- from: 13: "Add ALTER TABLE clause DROP EXPRESSION to remove generated properties from columns"
-- setup: CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED)
-- 12: refused
-- 13: ACCESS EXCLUSIVE
ALTER TABLE made ALTER COLUMN b DROP EXPRESSION

-- from: 13: "Allow FETCH FIRST to use WITH TIES to return any additional rows that match the last result row"
-- 12: refused
-- 13: ACCESS SHARE
SELECT id FROM orders ORDER BY id FETCH FIRST 1 ROWS WITH TIES

-- from: 14: "Allow partitions to be detached in a non-blocking manner"
-- lock: parted
-- 13: refused
-- 14: SHARE UPDATE EXCLUSIVE
ALTER TABLE parted DETACH PARTITION parted_1 CONCURRENTLY

-- from: 14: "Allow REINDEX to process all child tables or indexes of a partitioned relation"
-- setup: CREATE INDEX parted_kind ON parted (kind)
-- 13: refused
-- 14: indexes parted_1, ACCESS EXCLUSIVE
REINDEX INDEX parted_kind

-- from: 14: COMPRESSION of a column, with LZ4 for TOAST
-- 13: refused
-- 14: ACCESS EXCLUSIVE
ALTER TABLE orders ALTER COLUMN note SET COMPRESSION pglz

-- from: 14: OR REPLACE for CREATE TRIGGER
-- 13: refused
-- 14: SHARE ROW EXCLUSIVE
CREATE OR REPLACE TRIGGER orders_noted BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION noted()

-- from: 14: "Allow SQL-language functions and procedures to use SQL-standard function bodies"
-- 13: refused
-- 14: no lock
CREATE FUNCTION one() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END

-- from: 14: idle_session_timeout, to close idle sessions
-- 13: refused
-- 14: no lock
SET idle_session_timeout = '10min'

-- from: 14: "Remove server parameter operator_precedence_warning"
-- 13: no lock
-- 14: refused
SET operator_precedence_warning = off

-- from: 16: force_parallel_mode is called debug_parallel_query
-- 15: no lock
-- 16: refused
SET force_parallel_mode = off

-- from: 15: "Add SQL MERGE command to adjust one table to match another"
-- 14: refused
-- 15: ROW EXCLUSIVE
MERGE INTO orders USING customers c ON orders.customer_id = c.id WHEN MATCHED THEN DELETE

-- from: 15: "Allow unique constraints and indexes to treat NULL values as not distinct"
-- 14: refused
-- 15: indexes orders, ACCESS EXCLUSIVE
ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE NULLS NOT DISTINCT (note)

-- from: 15: ALTER TABLE … SET ACCESS METHOD
-- 14: refused
-- 15: rewrites orders, ACCESS EXCLUSIVE
-- more: the access method is the one that it has, which only the server knows
ALTER TABLE orders SET ACCESS METHOD heap

-- from: 15: unlogged sequences
-- 14: refused
-- 15: no lock
CREATE UNLOGGED SEQUENCE quick

-- from: 15: CLUSTER of a partitioned table
-- setup: CREATE INDEX parted_kind ON parted (kind)
-- 14: refused
-- 15: rewrites parted_1, ACCESS EXCLUSIVE
CLUSTER parted USING parted_kind

-- from: 16: IS JSON of SQL/JSON
-- 15: refused
-- 16: ACCESS SHARE
SELECT note IS JSON FROM orders

-- from: 17: "Allow ALTER TABLE to change a column's generation expression"
-- setup: CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED)
-- 16: refused
-- 17: rewrites made, ACCESS EXCLUSIVE
ALTER TABLE made ALTER COLUMN b SET EXPRESSION AS (a * 3)

-- from: 17: transaction_timeout, to restrict the duration of transactions
-- 16: refused
-- 17: no lock
SET transaction_timeout = '1min'

-- from: 17: the right to maintain a table, MAINTAIN
-- 16: refused
-- 17: no lock
GRANT MAINTAIN ON orders TO PUBLIC

-- from: 17: "Allow MERGE to use the RETURNING clause"
-- 16: refused
-- 17: ROW EXCLUSIVE
MERGE INTO orders USING customers c ON orders.customer_id = c.id WHEN MATCHED THEN DELETE RETURNING c.id

-- from: 17: WHEN NOT MATCHED BY SOURCE of MERGE
-- 16: refused
-- 17: ROW EXCLUSIVE
MERGE INTO orders USING customers c ON orders.customer_id = c.id WHEN NOT MATCHED BY SOURCE THEN DELETE

-- from: 17: exclusion constraints on partitioned tables, over the partition key
-- setup: CREATE TABLE kept (id int4range NOT NULL) PARTITION BY LIST (id)
-- 16: refused
-- 17: ACCESS EXCLUSIVE
ALTER TABLE kept ADD CONSTRAINT apart EXCLUDE USING gist (id WITH =)

-- from: 17: "Allow partitioned tables to have identity columns"
-- 16: refused
-- 17: rewrites parted_1, ACCESS EXCLUSIVE
ALTER TABLE parted ADD COLUMN number integer GENERATED ALWAYS AS IDENTITY

-- from: 18: "Allow dropping of constraints ONLY on partitioned tables"; the partitions keep theirs
-- setup: ALTER TABLE parted ADD CONSTRAINT small CHECK (kind < 10)
-- 17: refused
-- 18: ACCESS EXCLUSIVE
ALTER TABLE ONLY parted DROP CONSTRAINT small

-- from: 18: "Disallow unlogged partitioned tables"; before, the word did nothing
-- 17: no lock
-- 18: refused
CREATE UNLOGGED TABLE quick (id integer) PARTITION BY RANGE (id)

-- from: 18: "Allow generated columns to be virtual, and make them the default"
-- 17: refused
-- 18: ACCESS EXCLUSIVE
ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (amount * 2) VIRTUAL

-- from: 18: "… and make them the default"; before, the word STORED could not be left out
-- 17: refused
-- 18: ACCESS EXCLUSIVE
ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (amount * 2)

-- from: 18: "Allow ALTER TABLE to set the NOT VALID attribute of NOT NULL constraints"
-- 17: refused
-- 18: ACCESS EXCLUSIVE
ALTER TABLE orders ADD CONSTRAINT note_there NOT NULL note NOT VALID

-- from: 18: "Allow CHECK and foreign key constraints to be specified as NOT ENFORCED"
-- 17: refused
-- 18: ACCESS EXCLUSIVE
ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) NOT ENFORCED

-- from: 18: "Allow CHECK and foreign key constraints to be specified as NOT ENFORCED"
-- 17: refused
-- 18: SHARE ROW EXCLUSIVE
ALTER TABLE orders ADD CONSTRAINT orders_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED

-- from: 18: "Allow NOT VALID foreign key constraints on partitioned tables"
-- 17: refused
-- 18: SHARE ROW EXCLUSIVE
ALTER TABLE parted ADD CONSTRAINT parted_fk FOREIGN KEY (kind) REFERENCES customers (id) NOT VALID

-- from: 18: "Allow the specification of non-overlapping PRIMARY KEY, UNIQUE, and foreign key constraints"
-- setup: CREATE TABLE stays (room int4range NOT NULL, during daterange NOT NULL)
-- 17: refused
-- 18: indexes stays, ACCESS EXCLUSIVE
ALTER TABLE stays ADD CONSTRAINT apart PRIMARY KEY (room, during WITHOUT OVERLAPS)

-- from: 18: "Add OLD/NEW support to RETURNING in DML queries"
-- 17: refused
-- 18: ROW EXCLUSIVE
UPDATE orders SET amount = 1 WHERE id = 1 RETURNING WITH (OLD AS was) was.amount

-- from: 18: GRANT looks into the relation that it is for; measured on 18.4, no sentence says it
-- 17: no lock
-- 18: ACCESS SHARE
GRANT SELECT ON orders TO PUBLIC

-- from: 19: REPACK; as the manual of its development has it, no server of it was asked
-- 18: refused
-- 19: rewrites orders, ACCESS EXCLUSIVE
REPACK orders
