CREATE TABLE t (a integer, b integer NOT NULL, c integer);
CREATE UNIQUE INDEX t_a ON t (a);
