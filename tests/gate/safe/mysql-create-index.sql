-- claim: an index is built while everybody reads and writes
-- database: mysql-5.7 mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
CREATE INDEX by_name ON customers (name);
