-- claim: up to 255 bytes the length takes one byte: 20 and 60 letters of four bytes do
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY note varchar(60);
