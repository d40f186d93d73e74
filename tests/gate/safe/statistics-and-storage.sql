-- claim: statistics, fill factor and comments lock out nobody who reads or writes
-- database: postgres-15
BEGIN;
ALTER TABLE orders ALTER COLUMN note SET STATISTICS 1000;
ALTER TABLE orders SET (fillfactor = 80);
COMMENT ON TABLE orders IS 'what was bought';
CREATE STATISTICS orders_stats ON customer_id, note FROM orders;
COMMIT;
