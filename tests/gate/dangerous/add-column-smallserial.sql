-- claim: smallserial is `nextval` for each row (eugene does not know it)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN number smallserial;
