CREATE TABLE t (id {{id}}, a varchar(10), b varchar(10));
INSERT INTO t (b) VALUES (' x ');
