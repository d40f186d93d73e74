-- claim: another name of a constraint is no code's business, and takes a moment
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders RENAME CONSTRAINT amount_positive TO amount_is_positive;
