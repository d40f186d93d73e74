CREATE TABLE orders (
    id {{id}},
    status enum('pending', 'paid', 'done', 'canceled', 'void', 'completed', 'cancelled')
);
INSERT INTO orders (id, status)
SELECT n, CASE n % 7
    WHEN 0 THEN 'pending' WHEN 1 THEN 'paid' WHEN 2 THEN 'done'
    WHEN 3 THEN 'canceled' WHEN 4 THEN 'void'
    -- Written by the new code already.
    WHEN 5 THEN 'completed'
END
FROM numbers WHERE n <= 7000;
