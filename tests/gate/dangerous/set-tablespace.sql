-- claim: the table is copied while nobody reads it
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders SET TABLESPACE fast;
