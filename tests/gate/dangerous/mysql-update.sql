-- claim: one statement over a large table cannot be stopped half-way or throttled
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: data-change
UPDATE orders SET total = 0 WHERE total IS NULL;
