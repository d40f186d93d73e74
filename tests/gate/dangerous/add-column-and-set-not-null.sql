-- claim: in the statement that adds the column its rows are looked at all the same
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN rank integer DEFAULT 1, ALTER COLUMN rank SET NOT NULL;
