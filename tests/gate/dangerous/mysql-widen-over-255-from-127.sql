-- claim: what MariaDB widens in the dictionary, MySQL copies: a length of two bytes
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY note varchar(64);
