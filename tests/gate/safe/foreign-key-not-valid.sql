-- claim: NOT VALID locks both tables for a moment and looks nothing up
-- database: postgres-10 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
