-- claim: what EF Core and TypeORM write for a rename: the values are lost
-- database: postgres-15
-- expect: data-loss, drop-with-add, transaction-boundaries
SET lock_timeout = '5s';
ALTER TABLE orders DROP COLUMN note;
ALTER TABLE orders ADD COLUMN comment varchar(100);
