-- claim: a transaction around DDL is none: BEGIN, INSERT, ALTER, ROLLBACK keeps both
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: transaction-boundaries
SET SESSION lock_wait_timeout = 5;
START TRANSACTION;
ALTER TABLE customers ADD COLUMN a int;
ALTER TABLE orders ADD COLUMN b int;
COMMIT;
