-- What MySQL and MariaDB say, and what must happen next.
--
-- `-- expect: CLASS NUMBER`, or `-- expect: CLASS NUMBER on mysql, NUMBER on mariadb`; a statement is
-- not run on one of the two that is not named. The classes: see postgres.sql.

CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, u int UNIQUE, s varchar(3), txt text, j json,
    e enum('good', 'bad'), parent int, at datetime, c int CHECK (c < 100), FOREIGN KEY (parent) REFERENCES parent (id));
CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (10));
CREATE VIEW few AS SELECT id, n FROM t WHERE id < 100 WITH CHECK OPTION;
CREATE TRIGGER guard BEFORE UPDATE ON t FOR EACH ROW IF NEW.n = 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no thirteen'; ELSEIF NEW.n = 14 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no fourteen', MYSQL_ERRNO = 31014; END IF;
INSERT INTO parent VALUES (1);
INSERT INTO t (id, n, u, txt, parent) VALUES (1, 1, 1, 'no number', 1), (2, 2, 2, '{"a": ', NULL);

-- Constraints.
-- expect: poison 1048
UPDATE t SET n = NULL;
-- expect: poison 1062
UPDATE t SET u = 1;
-- expect: poison 3819 on mysql, 4025 on mariadb
UPDATE t SET c = id + 100;
-- expect: poison 1452
UPDATE t SET parent = 7;
-- expect: poison 1451
UPDATE parent SET id = 2;
-- expect: poison 1451
DELETE FROM parent;
-- expect: poison 1526
INSERT INTO parts VALUES (11);
-- expect: poison 1369
INSERT INTO few (id, n) VALUES (100, 1);

-- Values.
-- expect: poison 1406
UPDATE t SET s = 'long';
-- expect: poison 1264
UPDATE t SET n = 2147483647 + id;
-- expect: poison 1690
UPDATE t SET n = 9223372036854775807 + id;
-- expect: poison 1365
UPDATE t SET n = 1 / (id - 1);
-- expect: poison 1292
UPDATE t SET n = CAST(txt AS signed);
-- expect: poison 1366
UPDATE t SET n = txt;
-- expect: poison 1265
UPDATE t SET e = txt;
-- expect: poison 1292
UPDATE t SET at = txt;
-- expect: poison 3140 on mysql, 4025 on mariadb
UPDATE t SET j = txt;
-- expect: poison 3141 on mysql
UPDATE t SET s = JSON_EXTRACT(txt, '$.a');
-- expect: poison 1242
UPDATE t SET n = (SELECT p.id FROM parent p UNION SELECT 2);
-- expect: poison 1644
UPDATE t SET n = 13;
-- expect: poison 31014
UPDATE t SET n = 14;

-- What no other row would do better.
-- expect: fatal 1054
UPDATE t SET gone = 1;
-- expect: fatal 1146
UPDATE gone SET n = 1;
-- expect: fatal 1305
UPDATE t SET n = gone(n);
-- expect: fatal 1064
UPDATE t SET;
-- expect: fatal 1093 on mysql
UPDATE t SET n = (SELECT max(x.id) FROM t x);
-- expect: fatal 1114
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114;
-- expect: fatal 1021
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1021;
-- expect: fatal 1045
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1045;
-- expect: fatal 1142
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1142;
-- expect: fatal 1792
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1792;

-- What passes by itself.
-- expect: transient 1213
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1213;
-- expect: transient 1205
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205;
-- expect: transient 1020
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020;
-- expect: transient 1053
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1053;
-- expect: transient 1040
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1040;
-- expect: transient 1180
SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1180;
-- expect: transient 3024 on mysql
SELECT /*+ MAX_EXECUTION_TIME(30) */ count(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c;
