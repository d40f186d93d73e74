-- claim: if the second fails, the first is there, and the file cannot be run again
-- database: postgres-15
-- expect: transaction-boundaries
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
CREATE INDEX CONCURRENTLY orders_code_idx ON orders (code);
