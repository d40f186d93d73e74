-- claim: since 11 a constant default is kept once, in the catalogue, and no row is written
-- database: postgres-11 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text NOT NULL DEFAULT 'web';
