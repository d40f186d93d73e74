-- claim: without a bound every stored value still fits
-- database: postgres-15
-- before: DROP MATERIALIZED VIEW totals;
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN total TYPE numeric;
