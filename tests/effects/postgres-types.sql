-- The matrix of type changes: each column of a table of its own, with and without an index. The
-- format is that of `postgres.sql`.
CREATE DOMAIN bare AS integer;
CREATE DOMAIN bare_text AS varchar(10);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN present AS integer NOT NULL;
CREATE DOMAIN nested AS positive;
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TYPE point2 AS (x integer, y integer);
CREATE TABLE t (
    id integer PRIMARY KEY,
    i2 smallint, i4 integer, i8 bigint, r4 real, r8 double precision, n numeric, n102 numeric(10, 2),
    vc varchar, vc10 varchar(10), tx text, ch char(3), ci "char", nm name,
    ts timestamp, ts3 timestamp(3), tz timestamptz, tz3 timestamptz(3), dt date, tm time, tm3 time(3),
    iv interval, iv3 interval(3), ivd interval day, bt bit(4), vb varbit, vb5 varbit(5),
    cd cidr, it inet, js json, jb jsonb, bo boolean, by bytea, uu uuid, xm xml, oi oid,
    ba bare, bat bare_text, po positive, co colour, pt point2, ia integer[], va varchar(5)[], mo money
);
CREATE TABLE x (
    id integer PRIMARY KEY,
    i4 integer, n102 numeric(10, 2), vc10 varchar(10), vcp varchar(10), vcl varchar(10), tx text, txu text,
    ch char(3), ts timestamp, tz timestamptz, iv3 interval(3), vb5 varbit(5), cd cidr, cdg cidr, ba bare,
    a integer, b varchar(10), c varchar(10), e varchar(10)
);
CREATE INDEX x_i4_idx ON x (i4);
CREATE INDEX x_n102_idx ON x (n102);
CREATE INDEX x_vc10_idx ON x (vc10);
CREATE INDEX x_vcp_idx ON x (vcp text_pattern_ops);
CREATE INDEX x_vcl_idx ON x (lower(vcl));
CREATE INDEX x_tx_idx ON x (tx);
CREATE UNIQUE INDEX x_txu_idx ON x (txu);
CREATE INDEX x_ch_idx ON x (ch);
CREATE INDEX x_ts_idx ON x (ts);
CREATE INDEX x_tz_idx ON x (tz);
CREATE INDEX x_iv3_idx ON x (iv3);
CREATE INDEX x_vb5_idx ON x (vb5);
CREATE INDEX x_cd_idx ON x (cd);
CREATE INDEX x_cdg_idx ON x USING gist (cdg inet_ops);
CREATE INDEX x_ba_idx ON x (ba);
CREATE INDEX x_ab_idx ON x (a, b);
CREATE INDEX x_where_idx ON x (a) WHERE c <> 'x';
CREATE INDEX x_incl_idx ON x (a) INCLUDE (e);
CREATE TABLE used (
    id integer PRIMARY KEY,
    checked varchar(10) CONSTRAINT used_check CHECK (checked <> ''),
    loose varchar(10),
    keyed varchar(10) CONSTRAINT used_key UNIQUE,
    made_of varchar(10),
    made text GENERATED ALWAYS AS (made_of || 'x') STORED,
    defaulted varchar(10) DEFAULT 'd',
    viewed varchar(10),
    triggered varchar(10),
    ruled varchar(10),
    policed varchar(10),
    counted integer
);
ALTER TABLE used ADD CONSTRAINT used_loose CHECK (loose <> '') NOT VALID;
CREATE VIEW used_view AS SELECT viewed FROM used;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER used_trigger BEFORE UPDATE OF triggered ON used FOR EACH ROW EXECUTE FUNCTION noted();
CREATE POLICY used_policy ON used USING (policed <> '');
CREATE STATISTICS used_stats ON id, counted FROM used;
CREATE TABLE key_parent (code varchar(10) PRIMARY KEY, n integer UNIQUE);
CREATE TABLE key_child (code varchar(10) CONSTRAINT key_child_fk REFERENCES key_parent (code), n integer CONSTRAINT key_child_n REFERENCES key_parent (n));
CREATE TABLE parts (id integer, v varchar(10), w varchar(10), n integer) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE INDEX parts_w_idx ON parts (w);
CREATE TABLE base (id integer, v varchar(10), n integer);
CREATE TABLE derived (m integer) INHERITS (base);
CREATE TABLE serials (s serial, i integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO t (id, i4) VALUES (1, 1);
INSERT INTO x (id, i4) VALUES (1, 1);
INSERT INTO used (id, checked) VALUES (1, 'c');
INSERT INTO key_parent VALUES ('a', 1);
INSERT INTO key_child VALUES ('a', 1);
INSERT INTO parts VALUES (1, 'v', 'w', 1);
INSERT INTO base VALUES (1, 'v', 1);
INSERT INTO serials DEFAULT VALUES;
-- cases

ALTER TABLE t ALTER COLUMN i2 TYPE integer

ALTER TABLE t ALTER COLUMN i2 TYPE bigint

ALTER TABLE t ALTER COLUMN i2 TYPE numeric

ALTER TABLE t ALTER COLUMN i2 TYPE text

ALTER TABLE t ALTER COLUMN i2 TYPE oid

ALTER TABLE t ALTER COLUMN i4 TYPE integer

ALTER TABLE t ALTER COLUMN i4 TYPE bigint

ALTER TABLE t ALTER COLUMN i4 TYPE smallint

ALTER TABLE t ALTER COLUMN i4 TYPE numeric(12, 2)

ALTER TABLE t ALTER COLUMN i4 TYPE real

ALTER TABLE t ALTER COLUMN i4 TYPE text

ALTER TABLE t ALTER COLUMN i4 TYPE oid

ALTER TABLE t ALTER COLUMN i4 TYPE bare

ALTER TABLE t ALTER COLUMN i4 TYPE positive

ALTER TABLE t ALTER COLUMN i4 TYPE present

ALTER TABLE t ALTER COLUMN i4 TYPE nested

-- gap: 15 18
ALTER TABLE t ALTER COLUMN i4 TYPE boolean

ALTER TABLE t ALTER COLUMN i4 TYPE money

ALTER TABLE t ALTER COLUMN i8 TYPE integer

ALTER TABLE t ALTER COLUMN i8 TYPE numeric

ALTER TABLE t ALTER COLUMN r4 TYPE double precision

ALTER TABLE t ALTER COLUMN r8 TYPE real

ALTER TABLE t ALTER COLUMN r8 TYPE numeric

ALTER TABLE t ALTER COLUMN n TYPE numeric(10, 2)

ALTER TABLE t ALTER COLUMN n TYPE numeric

ALTER TABLE t ALTER COLUMN n TYPE numeric(1000, 0)

ALTER TABLE t ALTER COLUMN n TYPE integer

ALTER TABLE t ALTER COLUMN n102 TYPE numeric(12, 2)

ALTER TABLE t ALTER COLUMN n102 TYPE numeric(12, 3)

ALTER TABLE t ALTER COLUMN n102 TYPE numeric(10, 3)

ALTER TABLE t ALTER COLUMN n102 TYPE numeric(9, 2)

ALTER TABLE t ALTER COLUMN n102 TYPE numeric

ALTER TABLE t ALTER COLUMN n102 TYPE money

ALTER TABLE t ALTER COLUMN n102 TYPE text

ALTER TABLE t ALTER COLUMN vc TYPE varchar

ALTER TABLE t ALTER COLUMN vc TYPE varchar(10)

ALTER TABLE t ALTER COLUMN vc TYPE text

ALTER TABLE t ALTER COLUMN vc TYPE char(5)

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar(11)

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar(10)

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar(9)

ALTER TABLE t ALTER COLUMN vc10 TYPE text

ALTER TABLE t ALTER COLUMN vc10 TYPE char(10)

ALTER TABLE t ALTER COLUMN vc10 TYPE bare_text

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar

ALTER TABLE t ALTER COLUMN vc10 TYPE name

ALTER TABLE t ALTER COLUMN tx TYPE text

ALTER TABLE t ALTER COLUMN tx TYPE varchar

ALTER TABLE t ALTER COLUMN tx TYPE varchar(5)

ALTER TABLE t ALTER COLUMN tx TYPE char(5)

ALTER TABLE t ALTER COLUMN tx TYPE name

ALTER TABLE t ALTER COLUMN tx TYPE json USING tx::json

ALTER TABLE t ALTER COLUMN tx TYPE bytea USING tx::bytea

ALTER TABLE t ALTER COLUMN tx TYPE colour USING tx::colour

ALTER TABLE t ALTER COLUMN tx TYPE integer USING tx::integer

-- gap: 15 18
ALTER TABLE t ALTER COLUMN tx TYPE integer

ALTER TABLE t ALTER COLUMN ch TYPE char(4)

ALTER TABLE t ALTER COLUMN ch TYPE char(3)

ALTER TABLE t ALTER COLUMN ch TYPE char(2)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN ch TYPE bpchar

ALTER TABLE t ALTER COLUMN ch TYPE text

ALTER TABLE t ALTER COLUMN ch TYPE varchar(3)

ALTER TABLE t ALTER COLUMN ch TYPE varchar

ALTER TABLE t ALTER COLUMN ci TYPE text

ALTER TABLE t ALTER COLUMN ci TYPE char(1)

ALTER TABLE t ALTER COLUMN nm TYPE text

ALTER TABLE t ALTER COLUMN nm TYPE varchar

ALTER TABLE t ALTER COLUMN ts TYPE timestamp(6)

ALTER TABLE t ALTER COLUMN ts TYPE timestamp(3)

ALTER TABLE t ALTER COLUMN ts TYPE date

ALTER TABLE t ALTER COLUMN ts TYPE text

ALTER TABLE t ALTER COLUMN ts TYPE time

ALTER TABLE t ALTER COLUMN ts3 TYPE timestamp(3)

ALTER TABLE t ALTER COLUMN ts3 TYPE timestamp(4)

ALTER TABLE t ALTER COLUMN ts3 TYPE timestamp

ALTER TABLE t ALTER COLUMN ts3 TYPE timestamp(2)

ALTER TABLE t ALTER COLUMN tz3 TYPE timestamptz(3)

ALTER TABLE t ALTER COLUMN tz3 TYPE timestamptz

ALTER TABLE t ALTER COLUMN tz3 TYPE timestamptz(6)

ALTER TABLE t ALTER COLUMN tz3 TYPE timestamptz(1)

ALTER TABLE t ALTER COLUMN dt TYPE timestamp

ALTER TABLE t ALTER COLUMN dt TYPE timestamptz

ALTER TABLE t ALTER COLUMN dt TYPE text

ALTER TABLE t ALTER COLUMN tm TYPE time(6)

ALTER TABLE t ALTER COLUMN tm TYPE time(3)

ALTER TABLE t ALTER COLUMN tm TYPE timetz

ALTER TABLE t ALTER COLUMN tm3 TYPE time

ALTER TABLE t ALTER COLUMN tm3 TYPE time(4)

ALTER TABLE t ALTER COLUMN iv TYPE interval(6)

ALTER TABLE t ALTER COLUMN iv TYPE interval(3)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN iv TYPE interval day to second

ALTER TABLE t ALTER COLUMN iv3 TYPE interval

ALTER TABLE t ALTER COLUMN iv3 TYPE interval(4)

ALTER TABLE t ALTER COLUMN iv3 TYPE interval(2)

ALTER TABLE t ALTER COLUMN iv3 TYPE interval(6)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN ivd TYPE interval

-- gap: 15 18
ALTER TABLE t ALTER COLUMN ivd TYPE interval day to second

ALTER TABLE t ALTER COLUMN ivd TYPE interval month

ALTER TABLE t ALTER COLUMN bt TYPE bit(4)

ALTER TABLE t ALTER COLUMN bt TYPE bit(5)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN bt TYPE varbit

ALTER TABLE t ALTER COLUMN bt TYPE varbit(4)

ALTER TABLE t ALTER COLUMN vb TYPE varbit

ALTER TABLE t ALTER COLUMN vb TYPE varbit(5)

ALTER TABLE t ALTER COLUMN vb5 TYPE varbit(6)

ALTER TABLE t ALTER COLUMN vb5 TYPE varbit(4)

ALTER TABLE t ALTER COLUMN vb5 TYPE varbit

ALTER TABLE t ALTER COLUMN vb5 TYPE bit(5)

ALTER TABLE t ALTER COLUMN cd TYPE inet

ALTER TABLE t ALTER COLUMN cd TYPE text

ALTER TABLE t ALTER COLUMN cd TYPE cidr

ALTER TABLE t ALTER COLUMN it TYPE cidr

ALTER TABLE t ALTER COLUMN it TYPE inet

ALTER TABLE t ALTER COLUMN js TYPE jsonb

ALTER TABLE t ALTER COLUMN js TYPE text

ALTER TABLE t ALTER COLUMN js TYPE json

ALTER TABLE t ALTER COLUMN jb TYPE json

ALTER TABLE t ALTER COLUMN jb TYPE text

-- gap: 15 18
ALTER TABLE t ALTER COLUMN bo TYPE integer

ALTER TABLE t ALTER COLUMN bo TYPE text

ALTER TABLE t ALTER COLUMN by TYPE text

ALTER TABLE t ALTER COLUMN uu TYPE text

ALTER TABLE t ALTER COLUMN uu TYPE uuid

ALTER TABLE t ALTER COLUMN xm TYPE text

ALTER TABLE t ALTER COLUMN oi TYPE bigint

ALTER TABLE t ALTER COLUMN oi TYPE integer

ALTER TABLE t ALTER COLUMN oi TYPE regclass

ALTER TABLE t ALTER COLUMN ba TYPE integer

ALTER TABLE t ALTER COLUMN ba TYPE bigint

ALTER TABLE t ALTER COLUMN ba TYPE positive

ALTER TABLE t ALTER COLUMN ba TYPE bare

-- gap: 15 18
ALTER TABLE t ALTER COLUMN bat TYPE varchar(10)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN bat TYPE varchar(20)

ALTER TABLE t ALTER COLUMN bat TYPE varchar

ALTER TABLE t ALTER COLUMN bat TYPE text

ALTER TABLE t ALTER COLUMN po TYPE integer

ALTER TABLE t ALTER COLUMN po TYPE bare

ALTER TABLE t ALTER COLUMN co TYPE text

ALTER TABLE t ALTER COLUMN co TYPE varchar

ALTER TABLE t ALTER COLUMN co TYPE colour

ALTER TABLE t ALTER COLUMN pt TYPE text

ALTER TABLE t ALTER COLUMN ia TYPE bigint[]

ALTER TABLE t ALTER COLUMN ia TYPE integer[]

ALTER TABLE t ALTER COLUMN ia TYPE text[]

ALTER TABLE t ALTER COLUMN va TYPE varchar(10)[]

ALTER TABLE t ALTER COLUMN va TYPE varchar[]

ALTER TABLE t ALTER COLUMN va TYPE text[]

ALTER TABLE t ALTER COLUMN va TYPE varchar(4)[]

ALTER TABLE t ALTER COLUMN mo TYPE numeric

-- zone: UTC
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz

-- zone: UTC
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz(3)

-- zone: UTC
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz

-- gap: 15 18
-- zone: UTC
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz(3)

-- zone: UTC
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz(1)

-- zone: UTC
ALTER TABLE t ALTER COLUMN tz TYPE timestamp

-- zone: UTC
ALTER TABLE t ALTER COLUMN tz3 TYPE timestamp

-- zone: UTC
ALTER TABLE t ALTER COLUMN tz TYPE timestamp(3)

-- zone: UTC
ALTER TABLE t ALTER COLUMN tz TYPE date

-- zone: UTC
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz USING ts AT TIME ZONE 'UTC'

-- zone: UTC
ALTER TABLE t ALTER COLUMN tz TYPE timestamp USING tz AT TIME ZONE 'UTC'

-- gap: 15 18
-- zone: UTC
ALTER TABLE x ALTER COLUMN ts TYPE timestamptz

-- gap: 15 18
-- zone: UTC
ALTER TABLE x ALTER COLUMN tz TYPE timestamp

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz(3)

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz(3)

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts3 TYPE timestamptz(1)

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN tz TYPE timestamp

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN tz3 TYPE timestamp

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN tz TYPE timestamp(3)

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN tz TYPE date

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz USING ts AT TIME ZONE 'UTC'

-- zone: Europe/Paris
ALTER TABLE t ALTER COLUMN tz TYPE timestamp USING tz AT TIME ZONE 'UTC'

-- zone: Europe/Paris
ALTER TABLE x ALTER COLUMN ts TYPE timestamptz

-- zone: Europe/Paris
ALTER TABLE x ALTER COLUMN tz TYPE timestamp

-- zone: Etc/UTC
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz

-- zone: GMT
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz

-- zone: Africa/Abidjan
ALTER TABLE t ALTER COLUMN ts TYPE timestamptz

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING vc10

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING vc10::text

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING upper(vc10)

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING vc10 || ''

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING (vc10)

-- gap: 15 18
ALTER TABLE t ALTER COLUMN vc10 TYPE text USING vc10::varchar(20)::text

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING CAST(vc10 AS text)

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING NULL

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING 'x'

ALTER TABLE t ALTER COLUMN vc10 TYPE text USING tx

ALTER TABLE t ALTER COLUMN i4 TYPE bigint USING i4::bigint

ALTER TABLE t ALTER COLUMN i4 TYPE integer USING i4 + 1

ALTER TABLE t ALTER COLUMN i4 TYPE integer USING i8

ALTER TABLE t ALTER COLUMN tx TYPE text COLLATE "C"

ALTER TABLE t ALTER COLUMN tx TYPE text COLLATE "default"

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar(20) COLLATE "C"

ALTER TABLE t ALTER COLUMN ch TYPE char(3) COLLATE "C"

ALTER TABLE x ALTER COLUMN i4 TYPE integer

ALTER TABLE x ALTER COLUMN i4 TYPE bigint

ALTER TABLE x ALTER COLUMN i4 TYPE bare

ALTER TABLE x ALTER COLUMN i4 TYPE positive

ALTER TABLE x ALTER COLUMN n102 TYPE numeric(12, 2)

ALTER TABLE x ALTER COLUMN n102 TYPE numeric

ALTER TABLE x ALTER COLUMN vc10 TYPE varchar(20)

ALTER TABLE x ALTER COLUMN vc10 TYPE text

ALTER TABLE x ALTER COLUMN vc10 TYPE varchar

ALTER TABLE x ALTER COLUMN vc10 TYPE varchar(5)

ALTER TABLE x ALTER COLUMN vc10 TYPE varchar(10) COLLATE "C"

ALTER TABLE x ALTER COLUMN vc10 TYPE bare_text

ALTER TABLE x ALTER COLUMN vcp TYPE varchar(20)

ALTER TABLE x ALTER COLUMN vcp TYPE text

-- gap: 15 18
ALTER TABLE x ALTER COLUMN vcl TYPE varchar(20)

-- gap: 15 18
ALTER TABLE x ALTER COLUMN vcl TYPE text

ALTER TABLE x ALTER COLUMN tx TYPE varchar

ALTER TABLE x ALTER COLUMN tx TYPE varchar(5)

ALTER TABLE x ALTER COLUMN tx TYPE text COLLATE "C"

ALTER TABLE x ALTER COLUMN tx TYPE text COLLATE "default"

ALTER TABLE x ALTER COLUMN tx TYPE text

ALTER TABLE x ALTER COLUMN txu TYPE varchar

ALTER TABLE x ALTER COLUMN txu TYPE text COLLATE "C"

ALTER TABLE x ALTER COLUMN ch TYPE char(5)

ALTER TABLE x ALTER COLUMN ch TYPE text

ALTER TABLE x ALTER COLUMN iv3 TYPE interval

ALTER TABLE x ALTER COLUMN vb5 TYPE varbit(6)

ALTER TABLE x ALTER COLUMN cd TYPE inet

ALTER TABLE x ALTER COLUMN cdg TYPE inet

ALTER TABLE x ALTER COLUMN ba TYPE integer

ALTER TABLE x ALTER COLUMN a TYPE bigint

ALTER TABLE x ALTER COLUMN b TYPE varchar(20)

ALTER TABLE x ALTER COLUMN b TYPE text

ALTER TABLE x ALTER COLUMN b TYPE varchar(10) COLLATE "C"

-- gap: 15 18
ALTER TABLE x ALTER COLUMN c TYPE varchar(20)

-- gap: 15 18
ALTER TABLE x ALTER COLUMN c TYPE text

-- gap: 15 18
ALTER TABLE x ALTER COLUMN e TYPE varchar(20)

-- gap: 15 18
ALTER TABLE x ALTER COLUMN e TYPE text

-- gap: 15 18
ALTER TABLE x ALTER COLUMN e TYPE varchar(10) COLLATE "C"

ALTER TABLE used ALTER COLUMN checked TYPE varchar(20)

ALTER TABLE used ALTER COLUMN checked TYPE text

ALTER TABLE used ALTER COLUMN checked TYPE varchar(10)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN checked TYPE varchar(5)

ALTER TABLE used ALTER COLUMN loose TYPE varchar(20)

ALTER TABLE used ALTER COLUMN loose TYPE text

-- gap: 15 18
ALTER TABLE used ALTER COLUMN keyed TYPE varchar(20)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN keyed TYPE text

-- gap: 15 18
ALTER TABLE used ALTER COLUMN keyed TYPE varchar(5)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN made_of TYPE varchar(20)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN made_of TYPE text

ALTER TABLE used ALTER COLUMN made TYPE varchar

-- gap: 15 18
ALTER TABLE used ALTER COLUMN made TYPE varchar(50)

ALTER TABLE used ALTER COLUMN defaulted TYPE varchar(20)

ALTER TABLE used ALTER COLUMN defaulted TYPE text

-- gap: 15 18
ALTER TABLE used ALTER COLUMN defaulted TYPE integer USING 1

ALTER TABLE used ALTER COLUMN viewed TYPE varchar(20)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN triggered TYPE varchar(20)

ALTER TABLE used ALTER COLUMN ruled TYPE varchar(20)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN policed TYPE varchar(20)

-- gap: 15 18
ALTER TABLE used ALTER COLUMN counted TYPE bigint

-- gap: 15 18
ALTER TABLE used ALTER COLUMN id TYPE bigint

ALTER TABLE key_parent ALTER COLUMN code TYPE varchar(20)

ALTER TABLE key_parent ALTER COLUMN code TYPE text

ALTER TABLE key_parent ALTER COLUMN code TYPE varchar(5)

ALTER TABLE key_parent ALTER COLUMN n TYPE bigint

ALTER TABLE key_child ALTER COLUMN code TYPE varchar(20)

ALTER TABLE key_child ALTER COLUMN code TYPE text

ALTER TABLE key_child ALTER COLUMN n TYPE bigint

-- gap: 15 18
ALTER TABLE key_child ALTER COLUMN code TYPE integer

ALTER TABLE parts ALTER COLUMN v TYPE varchar(20)

ALTER TABLE parts ALTER COLUMN v TYPE text

ALTER TABLE parts ALTER COLUMN v TYPE varchar(5)

-- gap: 15 18
ALTER TABLE parts ALTER COLUMN w TYPE varchar(20)

-- gap: 15 18
ALTER TABLE parts ALTER COLUMN w TYPE text

-- gap: 15 18
ALTER TABLE parts ALTER COLUMN w TYPE varchar(10) COLLATE "C"

ALTER TABLE parts ALTER COLUMN n TYPE bigint

-- gap: 15 18
ALTER TABLE parts ALTER COLUMN id TYPE bigint

-- gap: 15 18
ALTER TABLE parts_1 ALTER COLUMN v TYPE text

-- gap: 15 18
ALTER TABLE parts_1 ALTER COLUMN n TYPE bigint

ALTER TABLE base ALTER COLUMN v TYPE varchar(20)

ALTER TABLE base ALTER COLUMN n TYPE bigint

-- gap: 15 18
ALTER TABLE derived ALTER COLUMN v TYPE text

ALTER TABLE derived ALTER COLUMN m TYPE bigint

ALTER TABLE serials ALTER COLUMN s TYPE bigint

-- gap: 15 18
ALTER TABLE serials ALTER COLUMN i TYPE bigint

-- gap: 15 18
ALTER TABLE serials ALTER COLUMN i TYPE smallint

-- gap: 15 18
ALTER TABLE used_view ALTER COLUMN viewed TYPE text

-- gap: 15 18
ALTER TABLE ONLY base ALTER COLUMN n TYPE bigint

-- gap: 15 18
ALTER TABLE ONLY parts ALTER COLUMN n TYPE bigint

ALTER TABLE t ALTER COLUMN vc10 TYPE text, ALTER COLUMN tx TYPE varchar

ALTER TABLE t ALTER COLUMN vc10 TYPE text, ALTER COLUMN i4 TYPE bigint

ALTER TABLE t ALTER COLUMN vc10 TYPE varchar(20), ALTER COLUMN vc10 SET NOT NULL

ALTER TABLE t ALTER COLUMN i4 TYPE bigint, ALTER COLUMN i4 SET NOT NULL

ALTER TABLE t ALTER COLUMN vc10 TYPE text, ALTER COLUMN i4 SET STATISTICS 5

ALTER TABLE t ALTER COLUMN vc10 SET DATA TYPE text

ALTER TABLE x ALTER COLUMN vc10 TYPE text, DROP COLUMN i4

-- gap: 15 18
ALTER TABLE used ALTER COLUMN checked TYPE text, DROP CONSTRAINT used_check

ALTER TABLE base ADD COLUMN z bare

ALTER TABLE base ADD COLUMN z positive

ALTER TABLE base ADD COLUMN z present

-- gap: 15 18
ALTER TABLE base ADD COLUMN z nested

ALTER TABLE base ADD COLUMN z bare_text

ALTER TABLE base ADD COLUMN z colour

ALTER TABLE base ADD COLUMN z point2

ALTER TABLE base ADD COLUMN z bare DEFAULT 1

ALTER TABLE base ADD COLUMN z positive DEFAULT 1

ALTER TABLE base ADD COLUMN z positive NOT NULL DEFAULT 1

-- gap: 15 18
ALTER TABLE base ADD COLUMN z positive[]

ALTER TABLE base ADD COLUMN z positive DEFAULT 0

-- unseen: t
ALTER DOMAIN positive ADD CONSTRAINT c CHECK (VALUE < 100)

ALTER DOMAIN nested ADD CONSTRAINT c CHECK (VALUE < 100)

ALTER DOMAIN present DROP NOT NULL

ALTER DOMAIN bare DROP DEFAULT

ALTER DOMAIN positive RENAME TO p

ALTER DOMAIN positive RENAME CONSTRAINT positive_check TO c

ALTER DOMAIN positive OWNER TO CURRENT_USER

ALTER DOMAIN bare DROP CONSTRAINT IF EXISTS c

DROP DOMAIN bare

-- gap: 15 18
DROP DOMAIN bare CASCADE

DROP DOMAIN present

DROP TYPE colour CASCADE

ALTER TYPE colour ADD VALUE IF NOT EXISTS 'red'

ALTER TYPE colour ADD VALUE 'blue' BEFORE 'green'

ALTER TYPE colour OWNER TO CURRENT_USER

ALTER TYPE point2 ADD ATTRIBUTE z integer

ALTER TYPE point2 DROP ATTRIBUTE y

ALTER TYPE point2 ALTER ATTRIBUTE x TYPE bigint
