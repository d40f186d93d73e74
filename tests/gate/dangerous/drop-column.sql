-- claim: the values are lost
-- database: postgres-15
-- expect: data-loss
SET lock_timeout = '5s';
ALTER TABLE orders DROP COLUMN note;
