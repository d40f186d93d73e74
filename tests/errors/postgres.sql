-- What PostgreSQL says, and what must happen next.
--
-- `-- expect: CLASS SQLSTATE`: the statement fails so. All others succeed. The classes:
-- `transient` passes by itself, `poison` is about a row, `fatal` is for a person, `closed` takes no
-- writes until a primary is there, `brake` is somebody who wants the work to end.

CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN small AS int CHECK (VALUE < 10);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL CHECK (n < 100), u int UNIQUE, s varchar(3), txt text,
    e mood, small small, parent int REFERENCES parent, at timestamptz, span int4range,
    EXCLUDE USING gist (span WITH &&));
CREATE TABLE parts (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE VIEW few AS SELECT * FROM t WHERE id < 100 WITH CHECK OPTION;
CREATE FUNCTION say(code text) RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''made'' USING ERRCODE = code; END';
CREATE FUNCTION strict(which int) RETURNS int LANGUAGE plpgsql AS 'DECLARE x int; BEGIN IF which = 0 THEN ASSERT false; END IF; SELECT id INTO STRICT x FROM t WHERE id < which; RETURN x; END';
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.n = 13 THEN RAISE EXCEPTION ''no thirteen''; ELSIF NEW.n = 14 THEN RAISE EXCEPTION ''no fourteen'' USING ERRCODE = ''U0014''; END IF; RETURN NEW; END';
CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION guard();
CREATE INDEX wide ON t (txt);
INSERT INTO parent VALUES (1);
INSERT INTO t (id, n, u, txt, parent, span) VALUES (1, 1, 1, 'no number', 1, '[1,5)'), (2, 2, 2, '{"a": ', NULL, NULL);

-- Constraints.
-- expect: poison 23502
UPDATE t SET n = NULL;
-- expect: poison 23505
UPDATE t SET u = 1;
-- expect: poison 23514
UPDATE t SET n = n + 100;
-- expect: poison 23514
UPDATE t SET small = 10;
-- expect: poison 23503
UPDATE t SET parent = 7;
-- expect: poison 23503
UPDATE parent SET id = 2;
-- expect: poison 23503
DELETE FROM parent;
-- expect: poison 23P01
UPDATE t SET span = '[3,4)' WHERE id = 2;
-- expect: poison 23514
INSERT INTO parts VALUES (11);
-- expect: poison 44000
INSERT INTO few (id, n) VALUES (100, 1);

-- Values.
-- expect: poison 22001
UPDATE t SET s = 'long';
-- expect: poison 22003
UPDATE t SET n = 2147483647 + id;
-- expect: poison 22012
UPDATE t SET n = 1 / (id - 1);
-- expect: poison 22P02
UPDATE t SET n = txt::int;
-- expect: poison 22P02
UPDATE t SET e = txt::mood;
-- expect: poison 22P02
UPDATE t SET txt = txt::json ->> 'a' WHERE id = 2;
-- expect: poison 22007
UPDATE t SET at = txt::timestamptz;
-- expect: poison 22008
UPDATE t SET at = ('2026-02-3' || id)::timestamptz;
-- expect: poison 2201B
UPDATE t SET n = 1 WHERE txt ~ ('(' || txt);
-- expect: poison 21000
UPDATE t SET n = (SELECT x.id FROM t x);
-- expect: poison 54000
UPDATE t SET txt = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 500) g);

-- Triggers and functions.
-- expect: poison P0001
UPDATE t SET n = 13;
-- expect: poison U0014
UPDATE t SET n = 14;
-- expect: poison P0002
SELECT strict(1);
-- expect: poison P0003
SELECT strict(9);
-- expect: poison P0004
SELECT strict(0);
-- expect: poison 45000
SELECT say('45000');

-- What no other row would do better.
-- expect: fatal 42703
UPDATE t SET gone = 1;
-- expect: fatal 42P01
UPDATE gone SET n = 1;
-- expect: fatal 42883
UPDATE t SET n = gone(n);
-- expect: fatal 42601
UPDATE t SET;
-- expect: fatal 42804
UPDATE t SET n = true;
-- expect: fatal 0A000
SELECT count(*) FROM t FOR UPDATE;
-- expect: fatal 53100
SELECT say('53100');
-- expect: fatal 53200
SELECT say('53200');
-- expect: fatal 58030
SELECT say('58030');
-- expect: fatal XX001
SELECT say('XX001');
-- expect: fatal 54001
SELECT say('54001');
-- expect: fatal 28000
SELECT say('28000');
-- expect: fatal 3D000
SELECT say('3D000');

-- What passes by itself.
SET statement_timeout = '30ms';
-- expect: transient 57014
SELECT pg_sleep(5);
RESET statement_timeout;
-- expect: transient 40001
SELECT say('40001');
-- expect: transient 40P01
SELECT say('40P01');
-- expect: transient 55P03
SELECT say('55P03');
-- expect: transient 57P01
SELECT say('57P01');
-- expect: transient 57P02
SELECT say('57P02');
-- expect: transient 57P03
SELECT say('57P03');
-- expect: transient 57P05
SELECT say('57P05');
-- expect: transient 53300
SELECT say('53300');
-- expect: transient 08006
SELECT say('08006');

-- Closed for writing.
SET default_transaction_read_only = on;
-- expect: closed 25006
UPDATE t SET n = 1;
RESET default_transaction_read_only;

-- A right that is missing.
CREATE ROLE {{role}};
SET ROLE {{role}};
-- expect: fatal 42501
UPDATE t SET n = 1;
RESET ROLE;
DROP ROLE {{role}};
