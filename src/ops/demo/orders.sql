-- A million orders with the dirt that ten years of imports leave: amounts with a decimal comma,
-- with blanks, with a currency sign, negative (refunds), empty and missing; ids with gaps where
-- orders were deleted; addresses in any case. `h` is a hash of the number, so that every demo has
-- the same shop.
WITH RECURSIVE
numbers (n) AS (
    SELECT 1
    UNION ALL
    SELECT n + 1 FROM numbers WHERE n < ?1
),
hashed (n, h) AS (
    SELECT n, (n * 2654435761) % 4294967296 FROM numbers
),
amounts (n, h, amount) AS (
    SELECT n, h, printf('%d.%02d', (h / 7) % 900, (h / 13) % 100) FROM hashed
)
INSERT INTO orders (id, email, total, currency, total_cents, placed_at)
SELECT
    n + (n / 1000) * 17,
    CASE h % 10
        WHEN 0 THEN NULL
        WHEN 1 THEN 'Customer.' || (h % 50000) || '@Example.ORG'
        ELSE 'customer.' || (h % 50000) || '@example.org'
    END,
    CASE h % 100
        WHEN 0 THEN NULL
        WHEN 1 THEN ''
        WHEN 2 THEN '   '
        WHEN 3 THEN replace(amount, '.', ',')
        WHEN 4 THEN ' ' || amount || ' '
        WHEN 5 THEN '€' || amount
        WHEN 6 THEN '-' || amount
        WHEN 7 THEN amount || ' EUR'
        WHEN 8 THEN '0.00'
        ELSE amount
    END,
    CASE h % 17 WHEN 0 THEN 'USD' ELSE 'EUR' END,
    -- The application has written the new column since its last release.
    CASE WHEN n % 20 = 0 AND 8 < h % 100 THEN CAST(round(amount * 100) AS INTEGER) END,
    datetime('2016-01-01', printf('+%d minutes', n * 5))
FROM amounts
