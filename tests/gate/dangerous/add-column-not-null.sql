-- claim: without a default it fails as soon as there is a row, and the INSERT of the old code
--   leaves it out
-- database: postgres-15
-- expect: broken-code
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text NOT NULL;
