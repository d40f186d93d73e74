-- claim: MariaDB keeps another order in the dictionary
-- database: mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers MODIFY city varchar(50) AFTER id;
