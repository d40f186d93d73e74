-- claim: writes to both tables wait while the second statement looks every row up
-- database: postgres-15
-- expect: work-under-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fk;
COMMIT;
