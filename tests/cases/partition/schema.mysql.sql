CREATE TABLE events (kind varchar(5) NOT NULL, n integer NOT NULL, a integer, PRIMARY KEY (kind, n)) PARTITION BY RANGE (n) (PARTITION events_low VALUES LESS THAN (5001), PARTITION events_high VALUES LESS THAN (1000000));
INSERT INTO events (kind, n) SELECT CASE WHEN n % 10 < 8 THEN 'big' ELSE 'small' END, n FROM numbers;
