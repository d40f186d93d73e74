CREATE TABLE orders (id {{id}}, total integer, total_cents integer);
