CREATE TABLE orders (id {{id}}, total numeric(12, 2), total_cents bigint);
INSERT INTO orders (id, total) SELECT n * 3, n / 7.0 FROM numbers WHERE n <= 5000;
-- Nothing to compute.
UPDATE orders SET total = NULL WHERE id % 10 = 0;
-- Written by the new code already; and then changed by the old one.
UPDATE orders SET total_cents = round(total * 100) WHERE id % 5 = 1;
UPDATE orders SET total = total + 1 WHERE id % 25 = 1;
-- As a float, this one is 1998.9999999999998 cents; then nothing, less than nothing, and a lot.
INSERT INTO orders (id, total) VALUES
    (100001, 19.99), (100002, 0), (100003, -0.01), (100004, 9999999999.99);
