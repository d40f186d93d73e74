CREATE TABLE orders (
    id {{id}},
    total numeric(12, 2),
    total_cents bigint
);
INSERT INTO orders (id, total) SELECT n * 3, n / 7.0 FROM numbers;
UPDATE orders SET total = NULL WHERE id % 100 = 0;
UPDATE orders SET total_cents = round(total * 100) WHERE id % 50 = 1;
