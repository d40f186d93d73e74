-- claim: a sequence gets a new file, and no table is written (what compares file numbers calls it
--   a rewrite)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER SEQUENCE tickets RESTART WITH 1000;
