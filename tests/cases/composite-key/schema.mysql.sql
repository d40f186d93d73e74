CREATE TABLE order_lines (tenant varchar(20) NOT NULL, number integer NOT NULL, part varchar(5) NOT NULL, a integer, PRIMARY KEY (tenant, number, part));
INSERT INTO order_lines (tenant, number, part, a) SELECT CASE WHEN n % 10 < 8 THEN 'big' ELSE 'small' END, n DIV 3, CASE n % 3 WHEN 0 THEN 'x' WHEN 1 THEN 'Y' ELSE 'z' END, NULL FROM numbers;
