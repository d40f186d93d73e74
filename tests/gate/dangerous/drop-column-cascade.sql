-- claim: whatever depends on it goes with it
-- database: postgres-15
-- expect: cascade, data-loss
SET lock_timeout = '5s';
ALTER TABLE shown DROP COLUMN name CASCADE;
