-- claim: before 8.0.29 only the last column was instant
-- database: mysql-8.0.28
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20) FIRST;
