-- claim: a view names it: the server takes the change, and the view fails from then on
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- before: CREATE VIEW towns AS SELECT city FROM customers;
-- expect: broken-code
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers RENAME COLUMN city TO town;
