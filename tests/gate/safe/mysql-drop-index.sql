-- claim: an index is dropped in a moment
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders DROP INDEX by_note;
