-- claim: NOT NULL taken away changes every row's header: the table is rebuilt
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY amount int DEFAULT 1;
