-- is: 0
SELECT count(*) FROM events WHERE id < 20000 AND created_at IS NULL;

-- What is no time stays NULL, and its text is still there.
-- is: 20
SELECT count(*) FROM events WHERE id BETWEEN 20001 AND 29999 AND created_at IS NULL;

-- The query of the header: without the one whose text is NULL.
-- is: 19
SELECT count(*) FROM events WHERE created_text IS NOT NULL AND created_at IS NULL;

-- A space and a T mean the same.
-- is: 1
SELECT count(DISTINCT created_at) FROM events WHERE id IN (10001, 10002);
