-- claim: every row is looked at, on a copy of the table
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);
