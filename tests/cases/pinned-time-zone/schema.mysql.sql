CREATE TABLE t (id {{id}}, shown varchar(40));
INSERT INTO t (shown) VALUES (NULL);
