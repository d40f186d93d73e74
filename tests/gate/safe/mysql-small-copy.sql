-- claim: 200 rows are copied in no time
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE countries MODIFY name varchar(300);
