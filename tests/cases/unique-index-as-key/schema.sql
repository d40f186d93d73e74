CREATE TABLE t (code varchar(20) NOT NULL, other integer NOT NULL, a integer);
CREATE UNIQUE INDEX t_wide ON t (other, code);
CREATE UNIQUE INDEX t_code ON t (code);
INSERT INTO t (code, other, a) SELECT CASE n % 2 WHEN 0 THEN 'a' ELSE 'B' END, n, NULL FROM numbers WHERE 1 = 0;
INSERT INTO t VALUES ('a', 1, NULL), ('B', 2, NULL), ('c', 3, NULL), ('', 4, NULL), ('Zoë', 5, NULL), ('z', 6, NULL);
