CREATE TABLE events (kind varchar(5) NOT NULL, n integer NOT NULL, a integer, PRIMARY KEY (kind, n)) PARTITION BY RANGE (n);
CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (5001);
CREATE TABLE events_high PARTITION OF events FOR VALUES FROM (5001) TO (1000000);
INSERT INTO events (kind, n) SELECT CASE WHEN n % 10 < 8 THEN 'big' ELSE 'small' END, n FROM numbers;
