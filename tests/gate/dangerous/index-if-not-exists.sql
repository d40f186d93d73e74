-- claim: an index that a failed try left invalid is taken for one that is there
-- database: postgres-15
-- expect: if-not-exists-index
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_idx ON orders (customer_id);
