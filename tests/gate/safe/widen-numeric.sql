-- claim: more digits before the point change no stored value
-- database: postgres-15
-- before: DROP MATERIALIZED VIEW totals;
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN total TYPE numeric(12, 2);
