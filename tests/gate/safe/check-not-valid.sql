-- claim: NOT VALID looks at no row that is there
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0) NOT VALID;
