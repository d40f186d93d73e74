-- claim: MariaDB keeps a constant expression in the dictionary
-- database: mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int DEFAULT (3);
