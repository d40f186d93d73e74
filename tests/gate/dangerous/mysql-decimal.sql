-- claim: other digits are other bytes: the table is copied
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY price decimal(12, 2);
