-- claim: digits are rounded away and the table is written anew
-- database: postgres-15
-- before: DROP MATERIALIZED VIEW totals;
-- expect: data-loss, long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN total TYPE numeric(10, 1);
