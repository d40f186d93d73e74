-- claim: the runner opens a transaction for the file, and CONCURRENTLY runs in none
-- database: postgres-15
-- runner: golang-migrate
-- expect: will-fail
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
