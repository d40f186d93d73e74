-- claim: every row moves
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers PARTITION BY HASH (id) PARTITIONS 8;
