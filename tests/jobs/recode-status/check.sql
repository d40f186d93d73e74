-- is: 1000
SELECT count(*) FROM orders WHERE status = 'pending';

-- is: 1000
SELECT count(*) FROM orders WHERE status = 'paid';

-- is: 2000
SELECT count(*) FROM orders WHERE status = 'completed';

-- is: 2000
SELECT count(*) FROM orders WHERE status = 'cancelled';

-- Each row by itself, not only in sum.
-- is: 2000
SELECT count(*) FROM orders WHERE status = 'cancelled' AND id % 7 IN (3, 4);

-- NULL stays NULL.
-- is: 1000
SELECT count(*) FROM orders WHERE status IS NULL AND id % 7 = 6;
