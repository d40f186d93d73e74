CREATE TABLE t (id {{id}}, a integer);
INSERT INTO t (a) VALUES (NULL), (2);
