CREATE TABLE t (id {{id}}, a integer, b integer);
INSERT INTO t (a, b) VALUES (3, 1), (3, 2);
