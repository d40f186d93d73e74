-- claim: a trigger names it: the server takes the change, and every INSERT fails from then on
-- database: mysql-8.4 mariadb-10.11
-- before: CREATE TRIGGER filled BEFORE INSERT ON customers FOR EACH ROW SET NEW.city = 'x';
-- expect: data-loss
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers DROP COLUMN city;
