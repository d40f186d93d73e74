-- claim: a foreign key that is not enforced looks nothing up (squawk 2.70 misses its NOT VALID)
-- database: postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED;
