-- claim: nobody waits for a table that is made here
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
CREATE TABLE refunds (id bigint NOT NULL PRIMARY KEY, note varchar(20));
