-- claim: an index that was left invalid is dropped by its name, alone in a file
-- database: postgres-15
SET lock_timeout = '5s';
DROP INDEX CONCURRENTLY IF EXISTS orders_customer_idx;
