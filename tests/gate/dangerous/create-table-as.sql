-- claim: a copy of a large table is made in one statement; beside it an explicit lock waits
--   without an end
-- database: postgres-15
-- expect: lock-timeout
BEGIN;
LOCK TABLE customers IN EXCLUSIVE MODE;
CREATE TABLE customers_copy AS SELECT * FROM customers;
COMMIT;
