-- claim: before 8.0.29 it rebuilds the table as well
-- database: mysql-8.0.28
-- expect: data-loss, hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders DROP COLUMN remark;
