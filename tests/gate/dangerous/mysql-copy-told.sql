-- claim: told to copy, it copies
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20), ALGORITHM=COPY;
