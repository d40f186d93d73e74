-- claim: a column that has the type already stays as it is
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN note TYPE varchar(100);
