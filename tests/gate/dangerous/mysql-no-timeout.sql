-- claim: an instant change waits for the dictionary lock up to a year (MySQL) or a day (MariaDB),
--   and everybody behind it
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: lock-timeout
ALTER TABLE customers ADD COLUMN source varchar(20);
