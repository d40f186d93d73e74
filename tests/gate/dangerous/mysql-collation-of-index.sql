-- claim: another collation of an indexed column copies the table
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY note varchar(20) COLLATE utf8mb4_bin;
