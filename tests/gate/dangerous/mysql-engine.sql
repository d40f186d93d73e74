-- claim: the table is copied
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ENGINE=MyISAM;
