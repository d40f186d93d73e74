-- claim: `timeofday()` is another value at every row
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN noticed_at text DEFAULT timeofday();
