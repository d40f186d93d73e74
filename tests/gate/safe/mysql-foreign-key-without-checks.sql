-- claim: with the checks off no row is looked up and nothing is copied
-- database: mysql-8.4 mariadb-10.11
SET SESSION lock_wait_timeout = 5;
SET SESSION foreign_key_checks = 0;
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);
