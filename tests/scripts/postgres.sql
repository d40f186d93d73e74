-- What psql cuts in more ways than at every `;`.
SET lock_timeout = '2s';
CREATE TABLE "odd;name" (id int, note text DEFAULT 'it''s; fine');
INSERT INTO "odd;name" VALUES (1, E'a\'; b'), (2, $$c; d$$), (3, $q$e; $$; f$q$);
SELECT a$b$ FROM (SELECT 1 AS a$b$) x; SELECT 2;
SELECT 3 /* one ; /* nested ; */ comment ; */ + 1;
CREATE RULE r AS ON DELETE TO "odd;name" DO ALSO (SELECT 1; SELECT 2);
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$
BEGIN
  PERFORM 1;
  RETURN CASE WHEN true THEN 1 END;
END;
$body$;
CREATE OR REPLACE FUNCTION g(n int) RETURNS int
BEGIN ATOMIC
  SELECT CASE n WHEN 1 THEN 2 ELSE 3 END;
  SELECT 4;
END;
CREATE PROCEDURE p()
BEGIN ATOMIC
  SELECT 1;
END;
BEGIN; SELECT 5; END;
DO $$ BEGIN RAISE NOTICE 'a;b'; END $$;
CREATE TABLE copied (a text);
COPY copied FROM stdin;
it's ; no statement
$$ nor this
\.
SELECT count(*) FROM copied;
BEGIN; COPY copied FROM stdin; COMMIT;
more;
\.
SELECT E'a\'; b'
'c\'; SELECT 7;
SELECT $→$ ; $→$ AS a€$b$;
\set x 1 \\ SELECT 8;
SELECT U&'d\0061t;a', B'0101', X'1F';
SELECT 1 AS "quoted ""; name";
SELECT (1
  + 2);
SELECT 6 \g
SELECT 'no end'
