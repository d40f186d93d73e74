CREATE TABLE orders (id {{id}}, total integer);
CREATE VIEW recent AS SELECT * FROM orders;
