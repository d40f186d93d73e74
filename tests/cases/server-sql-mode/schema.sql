CREATE TABLE t (id {{id}}, a varchar(10));
INSERT INTO t (a) VALUES (NULL);
