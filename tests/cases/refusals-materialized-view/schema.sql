CREATE TABLE orders (id {{id}}, total integer);
CREATE MATERIALIZED VIEW recent AS SELECT * FROM orders;
