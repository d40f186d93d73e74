CREATE TABLE t (id {{id}}, a integer);
INSERT INTO t (id) SELECT n FROM numbers WHERE n <= 500;
