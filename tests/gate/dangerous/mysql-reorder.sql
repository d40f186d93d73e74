-- claim: another order of the columns rebuilds the table
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers MODIFY city varchar(50) AFTER id;
