CREATE TABLE t (id {{id}}, source integer, a integer);
INSERT INTO t (source) VALUES (1), (NULL), (3);
