CREATE TABLE t (id {{id}}, whole integer, price numeric(10, 2), source numeric(12, 4));
INSERT INTO t (whole, price, source) VALUES (1, 1.40, 1.4000), (1, 1.41, 1.4049), (NULL, NULL, NULL), (NULL, 3.00, 2.9999), (0, 0, NULL);
