-- claim: how rows are named to a subscriber is an entry in the catalogue
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders REPLICA IDENTITY FULL;
