-- claim: every row is lost
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: data-loss
SET SESSION lock_wait_timeout = 5;
TRUNCATE TABLE items;
