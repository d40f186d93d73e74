-- is: 1709251199
SELECT created_at FROM events WHERE id = 10001;

-- is: -1
SELECT created_at FROM events WHERE id = 10004;

-- is: 32503679999
SELECT created_at FROM events WHERE id = 10005;

-- is: 1711852200
SELECT created_at FROM events WHERE id = 10006;

-- is: 1717228800
SELECT created_at FROM events WHERE id = 30001;
