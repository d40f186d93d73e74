-- claim: the values are lost
-- database: mysql-8.4
-- expect: data-loss
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers DROP COLUMN city;
