-- claim: OPTIMIZE writes the table anew, here and on every replica
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
OPTIMIZE TABLE orders;
