CREATE TYPE order_status AS ENUM ('pending', 'paid', 'done', 'canceled', 'void');
ALTER TYPE order_status ADD VALUE 'completed' AFTER 'done';
ALTER TYPE order_status ADD VALUE 'cancelled' AFTER 'canceled';
CREATE TABLE orders (id {{id}}, status order_status);
INSERT INTO orders (id, status)
SELECT n, (CASE n % 7
    WHEN 0 THEN 'pending' WHEN 1 THEN 'paid' WHEN 2 THEN 'done'
    WHEN 3 THEN 'canceled' WHEN 4 THEN 'void'
    -- Written by the new code already.
    WHEN 5 THEN 'completed'
END)::order_status
FROM numbers WHERE n <= 7000;
