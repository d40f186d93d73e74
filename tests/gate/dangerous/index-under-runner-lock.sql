-- executeInTransaction=false
-- claim: the index waits for the runner's own transaction, and the runner for the index
--   (flyway#1654)
-- database: postgres-15
-- runner: flyway
-- expect: concurrently-under-lock
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
