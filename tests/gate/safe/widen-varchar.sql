-- claim: a longer varchar holds the same bytes, and the index stays (squawk 2.70 has five
--   findings on it)
-- database: postgres-10 postgres-15 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN note TYPE varchar(200);
