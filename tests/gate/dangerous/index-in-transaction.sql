-- claim: CONCURRENTLY runs in no transaction
-- database: postgres-15
-- expect: will-fail
SET lock_timeout = '5s';
BEGIN;
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
COMMIT;
