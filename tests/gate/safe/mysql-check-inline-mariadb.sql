-- claim: MariaDB adds a column with a check instantly
-- database: mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int CHECK (rank > 0);
