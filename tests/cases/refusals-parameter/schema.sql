CREATE TABLE t (id {{id}}, v integer, w integer);
INSERT INTO t (v, w) VALUES (1, 1), (2, 2);
