-- claim: what nobody can read is never safe
-- database: postgres-15
-- expect: not-evaluated
SET lock_timeout = '5s';
ALTER TABEL orders ADD COLUMN source text;
