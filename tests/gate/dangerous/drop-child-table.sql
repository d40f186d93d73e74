-- claim: its rows are lost, and the table that it refers to is locked against readers
-- database: postgres-15
-- expect: data-loss
SET lock_timeout = '5s';
DROP TABLE items;
