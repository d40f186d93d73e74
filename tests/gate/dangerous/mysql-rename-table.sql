-- claim: the code that runs now says the old name
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: broken-code
SET SESSION lock_wait_timeout = 5;
RENAME TABLE orders TO purchases;
