-- claim: a foreign key goes in a moment
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE items DROP FOREIGN KEY items_order;
