-- claim: the table is written anew while nobody reads it
-- database: postgres-15 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders SET ACCESS METHOD columnar;
