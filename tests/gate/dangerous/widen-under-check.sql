-- claim: a type that is free by itself is not where a check names the column: every row is
--   verified again
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE items ALTER COLUMN kind TYPE varchar(50);
