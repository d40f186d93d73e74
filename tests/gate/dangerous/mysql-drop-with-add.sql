-- claim: a rename in disguise
-- database: mariadb-10.11
-- expect: data-loss, drop-with-add
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers DROP COLUMN city, ADD COLUMN town varchar(50);
