-- claim: above 255 bytes the length takes two, before and after
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY remark varchar(300);
