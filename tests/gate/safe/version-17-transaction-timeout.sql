-- claim: the time of the whole transaction is bounded since 17
-- database: postgres-17 postgres-18
SET lock_timeout = '5s';
SET transaction_timeout = '1min';
ALTER TABLE orders ADD COLUMN source text;
