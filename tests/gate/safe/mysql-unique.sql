-- claim: a unique key is built while everybody reads and writes (no tool should get it: gh-ost
--   drops equal rows without a word)
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD UNIQUE KEY by_name (name);
