-- What each case finds. A case below is a paragraph; `-- setup:` lines are committed before it,
-- `-- only: 15 16`, `-- only: <18` or `-- only: >15` chooses servers, `-- zone:` sets the session's time zone, and
-- `-- unseen:` names tables whose scan the server does not announce. `-- more:` says why more may be
-- predicted than is seen here: it depends on rows or the planner.
CREATE DOMAIN plain_domain AS integer;
CREATE DOMAIN checked_domain AS integer CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE mood2 AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a integer, b integer);
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE customers (id integer PRIMARY KEY, name text, region text);
CREATE UNIQUE INDEX customers_name_idx ON customers (name);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer,
    total integer,
    positive integer CONSTRAINT positive_check CHECK (positive > 0),
    nonnull integer CONSTRAINT nonnull_check CHECK (nonnull IS NOT NULL),
    note varchar(10),
    noted_idx varchar(10),
    label text,
    code char(5),
    price numeric(10, 2),
    at timestamp(3),
    attz timestamptz,
    span interval(3),
    bits varbit(5),
    net cidr,
    feeling mood,
    checked varchar(10) CONSTRAINT checked_check CHECK (checked <> 'x'),
    coll text COLLATE "C",
    def integer DEFAULT 5 NOT NULL,
    arr varchar(5)[],
    dom plain_domain,
    CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id)
);
CREATE INDEX orders_noted_idx ON orders (noted_idx);
CREATE INDEX orders_coll_idx ON orders (coll);
CREATE INDEX orders_total_idx ON orders (total);
CREATE UNIQUE INDEX orders_label_key ON orders (label);
CREATE UNIQUE INDEX orders_def_key ON orders (def);
ALTER TABLE orders ADD CONSTRAINT total_check CHECK (total > 0) NOT VALID;
CREATE TABLE items (id integer PRIMARY KEY, order_id integer REFERENCES orders (id), amount integer);
CREATE INDEX items_order_idx ON items (order_id);
CREATE TABLE lonely (a integer, b integer, c text);
CREATE TABLE fired (id integer PRIMARY KEY, a integer);
CREATE TRIGGER fired_trigger BEFORE INSERT ON fired FOR EACH ROW EXECUTE FUNCTION noted();
CREATE TABLE numbered (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE seen (id integer PRIMARY KEY, a integer, b varchar(10));
CREATE VIEW seen_view AS SELECT id, b FROM seen;
CREATE MATERIALIZED VIEW seen_mat AS SELECT id, a FROM seen;
CREATE UNIQUE INDEX seen_mat_key ON seen_mat (id);
CREATE TABLE domained (id integer, d checked_domain, p plain_domain);
CREATE TABLE parent (id integer, a integer);
CREATE TABLE kin (id integer, a integer);
CREATE TABLE child (extra integer) INHERITS (parent);
CREATE TABLE events (id integer NOT NULL, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE loose (id integer NOT NULL, at date NOT NULL, kind text);
CREATE TABLE proven (id integer NOT NULL, at date NOT NULL CHECK (at >= '2028-01-01' AND at < '2029-01-01'), kind text);
CREATE TABLE plain_parts (id integer NOT NULL, a integer) PARTITION BY LIST (id);
CREATE TABLE plain_part1 PARTITION OF plain_parts FOR VALUES IN (1);
CREATE TABLE plain_loose (id integer NOT NULL, a integer);
CREATE SEQUENCE counter;
INSERT INTO customers VALUES (1, 'a', 'x'), (2, 'b', 'y');
INSERT INTO orders (id, customer_id, total, positive, nonnull, note) VALUES (1, 1, 1, 1, 1, 'n');
INSERT INTO items VALUES (1, 1, 1);
INSERT INTO lonely VALUES (1, 2, 'c');
INSERT INTO seen VALUES (1, 1, 'b');
INSERT INTO events VALUES (1, '2025-05-05', 'k');
-- cases

ALTER TABLE lonely ADD COLUMN x integer

ALTER TABLE lonely ADD COLUMN x integer DEFAULT 5

ALTER TABLE lonely ADD COLUMN x integer NOT NULL DEFAULT 5

ALTER TABLE lonely ADD COLUMN x integer DEFAULT -1

ALTER TABLE lonely ADD COLUMN x text DEFAULT lower('X')

ALTER TABLE lonely ADD COLUMN x timestamptz DEFAULT now()

ALTER TABLE lonely ADD COLUMN x date DEFAULT current_date

ALTER TABLE lonely ADD COLUMN x timestamp DEFAULT localtimestamp

ALTER TABLE lonely ADD COLUMN x text DEFAULT current_user

ALTER TABLE lonely ADD COLUMN x timestamptz DEFAULT now() - interval '1 day'

ALTER TABLE lonely ADD COLUMN x uuid DEFAULT gen_random_uuid()

ALTER TABLE lonely ADD COLUMN x timestamptz DEFAULT clock_timestamp()

ALTER TABLE lonely ADD COLUMN x text DEFAULT timeofday()

ALTER TABLE lonely ADD COLUMN x double precision DEFAULT random()

ALTER TABLE lonely ADD COLUMN x bigint DEFAULT nextval('counter')

-- only: 18
ALTER TABLE lonely ADD COLUMN x uuid DEFAULT uuidv7()

ALTER TABLE orders ADD COLUMN x uuid DEFAULT gen_random_uuid()

ALTER TABLE lonely ADD COLUMN x serial

ALTER TABLE lonely ADD COLUMN x bigserial PRIMARY KEY

ALTER TABLE lonely ADD COLUMN x integer GENERATED ALWAYS AS IDENTITY

ALTER TABLE lonely ADD COLUMN x integer GENERATED BY DEFAULT AS IDENTITY

ALTER TABLE lonely ADD COLUMN x integer GENERATED ALWAYS AS (a + 1) STORED

-- only: 18
ALTER TABLE lonely ADD COLUMN x integer GENERATED ALWAYS AS (a + 1) VIRTUAL

ALTER TABLE lonely ADD COLUMN x plain_domain

ALTER TABLE lonely ADD COLUMN x checked_domain

ALTER TABLE lonely ADD COLUMN x integer CHECK (x > 0)

ALTER TABLE lonely ADD COLUMN x integer DEFAULT 5 CHECK (x > 0)

ALTER TABLE lonely ADD COLUMN x integer REFERENCES customers (id)

ALTER TABLE lonely ADD COLUMN x integer DEFAULT 1 REFERENCES customers (id)

ALTER TABLE lonely ADD COLUMN x integer UNIQUE

ALTER TABLE lonely ADD COLUMN x mood DEFAULT 'sad'

ALTER TABLE lonely ADD COLUMN x jsonb NOT NULL DEFAULT '{}'

ALTER TABLE lonely ADD COLUMN x text[] DEFAULT '{}'

ALTER TABLE lonely ADD COLUMN IF NOT EXISTS a integer

ALTER TABLE lonely ADD COLUMN x integer, ADD COLUMN y integer DEFAULT 7

ALTER TABLE parent ADD COLUMN x integer

ALTER TABLE parent ADD COLUMN x uuid DEFAULT gen_random_uuid()

ALTER TABLE events ADD COLUMN x integer

ALTER TABLE events ADD COLUMN x uuid DEFAULT gen_random_uuid()

ALTER TABLE lonely DROP COLUMN c

ALTER TABLE orders DROP COLUMN total

ALTER TABLE orders DROP COLUMN noted_idx

ALTER TABLE orders DROP COLUMN customer_id

ALTER TABLE orders DROP COLUMN label

ALTER TABLE events DROP COLUMN kind

ALTER TABLE lonely RENAME COLUMN a TO z

ALTER TABLE events RENAME COLUMN kind TO sort

ALTER TABLE lonely RENAME TO alone

ALTER TABLE orders RENAME TO purchases

ALTER TABLE orders RENAME CONSTRAINT positive_check TO p_check

ALTER TABLE orders RENAME CONSTRAINT orders_customer_fk TO fk

ALTER TABLE orders ALTER COLUMN note TYPE varchar(20)

ALTER TABLE orders ALTER COLUMN note TYPE varchar

ALTER TABLE orders ALTER COLUMN note TYPE text

ALTER TABLE orders ALTER COLUMN note TYPE varchar(10)

ALTER TABLE orders ALTER COLUMN note TYPE varchar(5)

ALTER TABLE orders ALTER COLUMN note TYPE char(10)

ALTER TABLE orders ALTER COLUMN noted_idx TYPE varchar(20)

ALTER TABLE orders ALTER COLUMN noted_idx TYPE text

ALTER TABLE orders ALTER COLUMN noted_idx TYPE varchar(5)

ALTER TABLE orders ALTER COLUMN label TYPE varchar

ALTER TABLE orders ALTER COLUMN label TYPE varchar(10)

ALTER TABLE orders ALTER COLUMN code TYPE char(10)

ALTER TABLE orders ALTER COLUMN code TYPE text

ALTER TABLE orders ALTER COLUMN code TYPE varchar(5)

ALTER TABLE orders ALTER COLUMN price TYPE numeric(12, 2)

ALTER TABLE orders ALTER COLUMN price TYPE numeric

ALTER TABLE orders ALTER COLUMN price TYPE numeric(12, 4)

ALTER TABLE orders ALTER COLUMN price TYPE numeric(8, 2)

ALTER TABLE orders ALTER COLUMN at TYPE timestamp(6)

ALTER TABLE orders ALTER COLUMN at TYPE timestamp

ALTER TABLE orders ALTER COLUMN at TYPE timestamp(1)

-- zone: UTC
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz

-- zone: Europe/Paris
ALTER TABLE orders ALTER COLUMN at TYPE timestamptz

-- zone: UTC
ALTER TABLE orders ALTER COLUMN attz TYPE timestamp

-- zone: Europe/Paris
ALTER TABLE orders ALTER COLUMN attz TYPE timestamp

-- zone: UTC
ALTER TABLE orders ALTER COLUMN attz TYPE timestamp(2)

ALTER TABLE orders ALTER COLUMN span TYPE interval

ALTER TABLE orders ALTER COLUMN span TYPE interval(1)

ALTER TABLE orders ALTER COLUMN bits TYPE varbit(10)

ALTER TABLE orders ALTER COLUMN bits TYPE varbit(3)

ALTER TABLE orders ALTER COLUMN net TYPE inet

ALTER TABLE orders ALTER COLUMN feeling TYPE text

ALTER TABLE orders ALTER COLUMN feeling TYPE mood2 USING feeling::text::mood2

ALTER TABLE orders ALTER COLUMN total TYPE bigint

ALTER TABLE orders ALTER COLUMN id TYPE bigint

ALTER TABLE orders ALTER COLUMN customer_id TYPE bigint

ALTER TABLE customers ALTER COLUMN id TYPE bigint

ALTER TABLE orders ALTER COLUMN total TYPE smallint

ALTER TABLE orders ALTER COLUMN total TYPE numeric

ALTER TABLE orders ALTER COLUMN total TYPE plain_domain

ALTER TABLE orders ALTER COLUMN total TYPE checked_domain

ALTER TABLE orders ALTER COLUMN dom TYPE integer

ALTER TABLE orders ALTER COLUMN checked TYPE varchar(20)

ALTER TABLE orders ALTER COLUMN checked TYPE text

ALTER TABLE orders ALTER COLUMN note TYPE text USING note

ALTER TABLE orders ALTER COLUMN note TYPE text USING note::text

ALTER TABLE orders ALTER COLUMN note TYPE text USING lower(note)

ALTER TABLE orders ALTER COLUMN coll TYPE text COLLATE "POSIX"

ALTER TABLE orders ALTER COLUMN coll TYPE text COLLATE "C"

ALTER TABLE orders ALTER COLUMN note TYPE varchar(10) COLLATE "C"

ALTER TABLE orders ALTER COLUMN arr TYPE varchar(10)[]

ALTER TABLE orders ALTER COLUMN arr TYPE text[]

ALTER TABLE events ALTER COLUMN kind TYPE varchar

ALTER TABLE events ALTER COLUMN id TYPE bigint

ALTER TABLE seen ALTER COLUMN b TYPE varchar(20)

ALTER TABLE orders ALTER COLUMN total SET NOT NULL

ALTER TABLE orders ALTER COLUMN nonnull SET NOT NULL

ALTER TABLE orders ALTER COLUMN def SET NOT NULL

ALTER TABLE events ALTER COLUMN kind SET NOT NULL

-- setup: ALTER TABLE orders ADD CONSTRAINT nv CHECK (total IS NOT NULL) NOT VALID
ALTER TABLE orders ALTER COLUMN total SET NOT NULL

-- only: 18
ALTER TABLE orders ADD CONSTRAINT nn NOT NULL total NOT VALID

-- only: 18
ALTER TABLE orders ADD CONSTRAINT nn NOT NULL total

-- only: 18
-- setup: ALTER TABLE orders ADD CONSTRAINT nn NOT NULL total NOT VALID
ALTER TABLE orders VALIDATE CONSTRAINT nn

-- only: 18
-- setup: ALTER TABLE orders ADD CONSTRAINT nn NOT NULL total NOT VALID
ALTER TABLE orders ALTER COLUMN total SET NOT NULL

ALTER TABLE lonely ADD COLUMN x integer DEFAULT 1, ALTER COLUMN x SET NOT NULL

ALTER TABLE orders ALTER COLUMN def DROP NOT NULL

ALTER TABLE orders ALTER COLUMN def SET DEFAULT 6

ALTER TABLE orders ALTER COLUMN def DROP DEFAULT

ALTER TABLE orders ADD CONSTRAINT c CHECK (total < 100)

ALTER TABLE orders ADD CONSTRAINT c CHECK (total < 100) NOT VALID

-- only: 18
ALTER TABLE orders ADD CONSTRAINT c CHECK (total < 100) NOT ENFORCED

ALTER TABLE orders VALIDATE CONSTRAINT total_check

ALTER TABLE orders VALIDATE CONSTRAINT positive_check

ALTER TABLE events ADD CONSTRAINT c CHECK (id > 0)

ALTER TABLE parent ADD CONSTRAINT c CHECK (a > 0)

ALTER TABLE lonely ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers (id)

ALTER TABLE lonely ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers (id) NOT VALID

ALTER TABLE lonely ADD FOREIGN KEY (a) REFERENCES orders

-- setup: ALTER TABLE lonely ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES customers (id) NOT VALID
ALTER TABLE lonely VALIDATE CONSTRAINT f

ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers (id)

-- only: <18
ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers (id) NOT VALID

-- only: 18
ALTER TABLE events ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers (id) NOT VALID

ALTER TABLE orders DROP CONSTRAINT orders_customer_fk

ALTER TABLE orders DROP CONSTRAINT positive_check

ALTER TABLE seen DROP CONSTRAINT seen_pkey

ALTER TABLE customers DROP CONSTRAINT customers_pkey CASCADE

ALTER TABLE customers DROP CONSTRAINT customers_pkey

ALTER TABLE lonely ADD CONSTRAINT u UNIQUE (a)

ALTER TABLE lonely ADD CONSTRAINT p PRIMARY KEY (a)

ALTER TABLE lonely ADD PRIMARY KEY (a, b)

ALTER TABLE lonely ADD CONSTRAINT e EXCLUDE (a WITH =)

ALTER TABLE orders ADD CONSTRAINT u UNIQUE USING INDEX orders_label_key

-- setup: ALTER TABLE seen DROP CONSTRAINT seen_pkey; CREATE UNIQUE INDEX seen_key ON seen (id)
ALTER TABLE seen ADD CONSTRAINT seen_p PRIMARY KEY USING INDEX seen_key

-- setup: CREATE UNIQUE INDEX lonely_key ON lonely (a)
ALTER TABLE lonely ADD CONSTRAINT lonely_p PRIMARY KEY USING INDEX lonely_key

ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk DEFERRABLE

ALTER TABLE lonely ALTER COLUMN a SET STATISTICS 100

ALTER TABLE lonely ALTER COLUMN c SET STORAGE EXTERNAL

ALTER TABLE lonely ALTER COLUMN c SET COMPRESSION pglz

ALTER TABLE lonely ALTER COLUMN a SET (n_distinct = 5)

ALTER TABLE lonely SET (fillfactor = 70)

ALTER TABLE lonely SET (autovacuum_enabled = false)

ALTER TABLE lonely RESET (fillfactor)

ALTER TABLE lonely SET UNLOGGED

ALTER TABLE lonely SET LOGGED

ALTER TABLE seen SET UNLOGGED

ALTER TABLE lonely REPLICA IDENTITY FULL

ALTER TABLE seen REPLICA IDENTITY USING INDEX seen_pkey

ALTER TABLE lonely OWNER TO CURRENT_USER

ALTER TABLE lonely ENABLE ROW LEVEL SECURITY

ALTER TABLE lonely FORCE ROW LEVEL SECURITY

ALTER TABLE fired DISABLE TRIGGER fired_trigger

ALTER TABLE fired ENABLE TRIGGER ALL

ALTER TABLE seen CLUSTER ON seen_pkey

ALTER TABLE seen SET WITHOUT CLUSTER

ALTER TABLE kin INHERIT parent

ALTER TABLE child NO INHERIT parent

-- setup: CREATE SCHEMA IF NOT EXISTS other
ALTER TABLE lonely SET SCHEMA other

-- setup: CREATE SCHEMA IF NOT EXISTS other
ALTER TABLE orders SET SCHEMA other

ALTER TABLE numbered ALTER COLUMN id SET GENERATED BY DEFAULT

ALTER TABLE numbered ALTER COLUMN id DROP IDENTITY

ALTER TABLE numbered ALTER COLUMN id RESTART WITH 10

ALTER TABLE seen ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY

ALTER TABLE numbered ALTER COLUMN b DROP EXPRESSION

-- only: 18
ALTER TABLE numbered ALTER COLUMN b SET EXPRESSION AS (a * 3)

ALTER TABLE events ATTACH PARTITION loose FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')

ALTER TABLE events ATTACH PARTITION proven FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')

ALTER TABLE plain_parts ATTACH PARTITION plain_loose FOR VALUES IN (2)

ALTER TABLE plain_parts ATTACH PARTITION plain_loose DEFAULT

ALTER TABLE events DETACH PARTITION events_2025

ALTER TABLE plain_parts DETACH PARTITION plain_part1

CREATE INDEX i ON lonely (a)

CREATE UNIQUE INDEX i ON orders (price)

CREATE INDEX i ON orders (lower(note)) WHERE total > 0

CREATE INDEX IF NOT EXISTS orders_total_idx ON orders (total)

CREATE INDEX i ON events (kind)

CREATE INDEX i ON ONLY events (kind)

CREATE INDEX i ON parent (a)

CREATE INDEX i ON seen_mat (a)

DROP INDEX orders_total_idx

DROP INDEX IF EXISTS orders_total_idx

DROP INDEX IF EXISTS no_such_index

DROP INDEX seen_pkey

-- setup: CREATE INDEX ev ON events (kind)
DROP INDEX ev

ALTER INDEX orders_total_idx RENAME TO i

ALTER INDEX orders_total_idx SET (fillfactor = 70)

-- setup: CREATE INDEX ev ON ONLY events (kind); CREATE INDEX ev25 ON events_2025 (kind)
ALTER INDEX ev ATTACH PARTITION ev25

REINDEX INDEX orders_total_idx

REINDEX TABLE orders

CREATE TABLE fresh (id integer PRIMARY KEY, a text)

CREATE TABLE fresh (id integer REFERENCES customers (id))

CREATE TABLE fresh (a integer, FOREIGN KEY (a) REFERENCES orders (id))

CREATE TABLE fresh (LIKE orders INCLUDING ALL)

CREATE TABLE fresh (x integer) INHERITS (parent)

CREATE TABLE fresh AS SELECT * FROM customers

CREATE TABLE fresh AS SELECT * FROM seen_view

CREATE TABLE fresh PARTITION OF plain_parts FOR VALUES IN (7)

-- unseen: events_rest
CREATE TABLE fresh PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')

SELECT * INTO fresh FROM customers

CREATE TEMP TABLE fresh (id integer)

DROP TABLE lonely

DROP TABLE items

DROP TABLE orders

DROP TABLE orders CASCADE

DROP TABLE customers CASCADE

DROP TABLE seen

DROP TABLE seen CASCADE

DROP TABLE events

DROP TABLE events_2025

DROP TABLE plain_part1

DROP TABLE parent CASCADE

DROP TABLE numbered

DROP TABLE IF EXISTS no_such_table

DROP TABLE lonely, fired

TRUNCATE lonely

TRUNCATE items

TRUNCATE orders

TRUNCATE orders CASCADE

TRUNCATE events

TRUNCATE customers CASCADE

CREATE VIEW v AS SELECT a FROM lonely

CREATE OR REPLACE VIEW seen_view AS SELECT id, b FROM seen WHERE id > 0

CREATE VIEW v AS SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id

DROP VIEW seen_view

ALTER VIEW seen_view RENAME TO w

ALTER VIEW seen_view RENAME COLUMN b TO bb

CREATE MATERIALIZED VIEW m AS SELECT a FROM lonely

CREATE MATERIALIZED VIEW m AS SELECT id FROM orders

DROP MATERIALIZED VIEW seen_mat

REFRESH MATERIALIZED VIEW seen_mat

-- unseen: seen_mat
REFRESH MATERIALIZED VIEW CONCURRENTLY seen_mat

REFRESH MATERIALIZED VIEW seen_mat WITH NO DATA

ALTER MATERIALIZED VIEW seen_mat RENAME TO m

CREATE TRIGGER t BEFORE UPDATE ON lonely FOR EACH ROW EXECUTE FUNCTION noted()

CREATE OR REPLACE TRIGGER fired_trigger BEFORE INSERT ON fired FOR EACH ROW EXECUTE FUNCTION noted()

CREATE TRIGGER t BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION noted()

DROP TRIGGER fired_trigger ON fired

ALTER TRIGGER fired_trigger ON fired RENAME TO t

CREATE POLICY p ON lonely USING (true)

-- setup: CREATE POLICY p ON lonely USING (true)
DROP POLICY p ON lonely

-- setup: CREATE POLICY p ON lonely USING (true)
ALTER POLICY p ON lonely USING (false)

CREATE RULE r AS ON DELETE TO lonely DO INSTEAD NOTHING

-- setup: CREATE RULE r AS ON DELETE TO lonely DO INSTEAD NOTHING
DROP RULE r ON lonely

COMMENT ON TABLE lonely IS 'x'

COMMENT ON COLUMN lonely.a IS 'x'

COMMENT ON INDEX orders_total_idx IS 'x'

GRANT SELECT ON lonely TO PUBLIC

REVOKE SELECT ON lonely FROM PUBLIC

CREATE STATISTICS st ON a, b FROM lonely

ANALYZE lonely

ANALYZE orders

LOCK TABLE lonely

LOCK TABLE lonely IN SHARE MODE

LOCK TABLE orders, customers IN ROW EXCLUSIVE MODE

LOCK TABLE events IN EXCLUSIVE MODE

CLUSTER seen USING seen_pkey

ALTER TYPE mood ADD VALUE 'angry'

ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'

ALTER TYPE mood RENAME TO humour

-- unseen: domained orders
ALTER DOMAIN plain_domain ADD CONSTRAINT c CHECK (VALUE > 0)

ALTER DOMAIN plain_domain ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID

-- unseen: domained orders
-- setup: UPDATE orders SET dom = 1
ALTER DOMAIN plain_domain SET NOT NULL

ALTER DOMAIN plain_domain SET DEFAULT 5

-- setup: ALTER DOMAIN plain_domain ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID
-- unseen: domained orders
ALTER DOMAIN plain_domain VALIDATE CONSTRAINT c

ALTER DOMAIN checked_domain DROP CONSTRAINT checked_domain_check

DROP TYPE mood

DROP TYPE pair

DROP DOMAIN checked_domain CASCADE

CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'

CREATE SEQUENCE s2

ALTER SEQUENCE counter RESTART

DROP SEQUENCE counter

INSERT INTO lonely VALUES (3, 4, 'd')

INSERT INTO orders (id, total, nonnull, def) VALUES (7, 7, 7, 7)

INSERT INTO orders (id, customer_id, total, nonnull, def) VALUES (7, 1, 7, 7, 7)

INSERT INTO lonely SELECT id, 1, name FROM customers

UPDATE lonely SET a = 2

UPDATE customers SET region = 'z' WHERE id = 1

UPDATE orders SET total = 2 WHERE id = 1

DELETE FROM lonely

DELETE FROM items WHERE id = 1

DELETE FROM customers WHERE id = 2

UPDATE orders SET customer_id = 2

UPDATE customers SET id = 9 WHERE id = 2

-- setup: CREATE TABLE cascading (c integer REFERENCES customers (id) ON DELETE CASCADE)
DELETE FROM customers WHERE id = 2

MERGE INTO lonely l USING customers c ON l.a = c.id WHEN MATCHED THEN UPDATE SET b = 1

UPDATE events SET kind = 'z'

SELECT * FROM customers

SELECT * FROM seen_view

SELECT id FROM events

SELECT id FROM customers FOR UPDATE

WITH gone AS (DELETE FROM lonely RETURNING a) SELECT * FROM gone

COPY lonely FROM '/dev/null'

DO $$ BEGIN ALTER TABLE lonely ADD COLUMN x integer; END $$

DO $$ BEGIN EXECUTE 'ALTER TABLE lonely ADD COLUMN x uuid DEFAULT gen_random_uuid()'; END $$

DO $$ BEGIN IF EXISTS (SELECT 1 FROM customers) THEN UPDATE lonely SET a = 1; END IF; END $$

CREATE SCHEMA s3

ALTER TABLE lonely ADD COLUMN x integer, DROP COLUMN c

ALTER TABLE lonely ADD COLUMN x integer DEFAULT 1, ADD CONSTRAINT c CHECK (x > 0)

ALTER TABLE orders ADD COLUMN x integer, ALTER COLUMN total TYPE bigint

ALTER TABLE IF EXISTS no_such_table ADD COLUMN x integer

ALTER TABLE ONLY parent ADD CONSTRAINT c CHECK (a > 0) NO INHERIT
