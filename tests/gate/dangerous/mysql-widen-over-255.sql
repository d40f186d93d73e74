-- claim: 63 letters of four bytes fit one byte of length, 64 do not: the table is copied
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers MODIFY city varchar(64);
