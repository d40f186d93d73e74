CREATE TABLE t (id {{id}}, kind varchar(10), visits integer);
INSERT INTO t (kind, visits) VALUES ('a', 1), ('b', 2)
