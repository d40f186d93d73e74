-- claim: a function names it and fails when it is called next: bodies are text
-- database: postgres-15
-- before: DROP MATERIALIZED VIEW totals;
-- expect: data-loss
SET lock_timeout = '5s';
ALTER TABLE orders DROP COLUMN total;
