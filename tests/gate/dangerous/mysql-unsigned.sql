-- claim: negative numbers do not fit, and the table is copied
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: data-loss, hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY total int unsigned;
