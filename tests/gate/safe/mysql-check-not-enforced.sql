-- claim: a check that is not enforced is an entry in the dictionary
-- database: mysql-8.4
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT ENFORCED;
