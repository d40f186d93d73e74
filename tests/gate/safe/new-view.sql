-- claim: a view locks what it reads as a query does
-- database: postgres-15
CREATE VIEW large_orders AS SELECT id, total FROM orders WHERE total > 1000;
