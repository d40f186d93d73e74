-- claim: a rule less locks the table for a moment, and no row is looked at
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders DROP CONSTRAINT amount_positive;
