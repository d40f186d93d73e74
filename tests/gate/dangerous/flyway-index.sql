-- claim: the runner opens a transaction for the file
-- database: postgres-15
-- runner: flyway
-- expect: will-fail
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
