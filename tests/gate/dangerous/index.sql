-- claim: writes wait while the index is built
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
CREATE INDEX orders_customer_idx ON orders (customer_id);
