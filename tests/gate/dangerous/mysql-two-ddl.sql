-- claim: each commits by itself: if the second fails, the first has happened
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: transaction-boundaries
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN a int;
ALTER TABLE customers ADD COLUMN b int;
