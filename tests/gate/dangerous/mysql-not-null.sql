-- claim: the table is rebuilt, and the code that writes NULL fails
-- database: mysql-8.4
-- expect: broken-code, hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY total int NOT NULL;
