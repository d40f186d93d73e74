-- claim: told to be instant, what is none is refused
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over, will-fail
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders MODIFY total bigint, ALGORITHM=INSTANT;
