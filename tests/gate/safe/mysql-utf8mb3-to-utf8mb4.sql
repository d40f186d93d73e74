-- claim: letters of three bytes are letters of four
-- database: mysql-8.4 mariadb-10.11
SET SESSION lock_wait_timeout = 5;
ALTER TABLE old MODIFY name varchar(20) CHARACTER SET utf8mb4;
