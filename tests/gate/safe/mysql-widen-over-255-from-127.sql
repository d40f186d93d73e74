-- claim: of at most 127 bytes MariaDB widens without a copy, also over 255: 20 letters are 80
-- database: mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY note varchar(64);
