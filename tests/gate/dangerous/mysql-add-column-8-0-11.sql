-- claim: before 8.0.12 a new column rebuilds the table
-- database: mysql-5.7 mysql-8.0.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20);
