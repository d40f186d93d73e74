-- claim: a comment on a column is an entry in the dictionary
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY note varchar(20) COMMENT 'by the customer';
