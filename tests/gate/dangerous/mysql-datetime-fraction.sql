-- claim: fractions of seconds take other bytes: the table is copied
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- before: CREATE TABLE stamps (id bigint NOT NULL PRIMARY KEY, at datetime) ENGINE=InnoDB;
-- sizes: stamps=20000000
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE stamps MODIFY at datetime(6);
