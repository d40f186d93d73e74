-- claim: before 11 any default is written to every row
-- database: postgres-10
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text DEFAULT 'web';
