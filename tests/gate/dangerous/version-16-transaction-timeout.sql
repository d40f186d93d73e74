-- claim: the setting came with 17, and the server knows no other than its own
-- database: postgres-16
-- expect: will-fail
SET lock_timeout = '5s';
SET transaction_timeout = '1min';
ALTER TABLE orders ADD COLUMN source text;
