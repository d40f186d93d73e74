-- claim: the first full-text index rebuilds the table while writes wait
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ADD FULLTEXT INDEX words (body);
