CREATE TABLE t (id {{id}}, a integer NOT NULL CHECK (a < 1000));
INSERT INTO t (a) SELECT 1 FROM numbers WHERE n <= 4000;
UPDATE t SET a = 999 WHERE id = 3000;
