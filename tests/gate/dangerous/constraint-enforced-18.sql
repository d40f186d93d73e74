-- claim: a key that is enforced from now on is looked up for every row
-- database: postgres-18
-- before: ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED;
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER CONSTRAINT orders_customer_fk ENFORCED;
