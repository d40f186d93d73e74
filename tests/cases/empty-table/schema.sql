CREATE TABLE t (id {{id}}, a integer);
