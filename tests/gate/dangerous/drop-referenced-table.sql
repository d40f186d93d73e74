-- claim: a foreign key refers to it
-- database: postgres-15
-- before: DROP MATERIALIZED VIEW totals;
-- expect: will-fail, data-loss
SET lock_timeout = '5s';
DROP TABLE orders;
