-- claim: the values are lost, and with an index of it the table is rebuilt
-- database: mysql-8.4
-- expect: data-loss, hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders DROP COLUMN note;
