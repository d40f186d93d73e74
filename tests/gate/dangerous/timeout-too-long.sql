-- claim: ten minutes of waiting are ten minutes of outage
-- database: postgres-15
-- expect: lock-timeout
SET lock_timeout = '10min';
ALTER TABLE orders ADD COLUMN source text;
