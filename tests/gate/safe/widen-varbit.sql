-- claim: a longer bit string holds the same bits
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN flags TYPE varbit(9);
