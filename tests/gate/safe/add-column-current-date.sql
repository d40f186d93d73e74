-- claim: `current_date` is stable, so it is stored once (squawk 2.70 flags it)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN noticed_on date DEFAULT current_date;
