-- Every order with a total has its cents, the stale ones too.
-- is: 0
SELECT count(*) FROM orders
WHERE total IS NOT NULL AND (total_cents IS NULL OR total_cents <> round(total * 100));

-- Nothing was made up.
-- is: 500
SELECT count(*) FROM orders WHERE total IS NULL AND total_cents IS NULL;

-- is: 1999
SELECT total_cents FROM orders WHERE id = 100001;

-- is: 0
SELECT total_cents FROM orders WHERE id = 100002;

-- is: -1
SELECT total_cents FROM orders WHERE id = 100003;

-- is: 999999999999
SELECT total_cents FROM orders WHERE id = 100004;
