-- claim: built concurrently, an index lets everybody read and write
-- database: postgres-10 postgres-18
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
