-- claim: a default for columns to come changes none that is there
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
