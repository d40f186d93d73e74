-- claim: the validation of another constraint proves nothing (it silences squawk: squawk#957)
-- database: postgres-15
-- before: ALTER TABLE orders ADD CONSTRAINT orders_customer_fk FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID;
-- before: ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fk;
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
