CREATE TABLE people (id {{id}}, full_name varchar(200) CHARACTER SET utf8mb4, first_name varchar(200) CHARACTER SET utf8mb4, last_name varchar(200) CHARACTER SET utf8mb4);
INSERT INTO people (id, full_name)
SELECT n, concat('First', n, ' Last', n) FROM numbers WHERE n <= 3000;
INSERT INTO people (id, full_name) VALUES
    (10001, NULL),
    (10002, ''),
    (10003, '   '),
    (10004, 'Cher'),
    (10005, '  Ada   Lovelace '),
    (10006, 'Ludwig van Beethoven'),
    (10007, 'Zoë O''Hara-Núñez'),
    (10008, '李 小龍'),
    (10009, '小龍'),
    (10010, '100% _ Real');
-- Written by the new code already: whole, and by one word.
INSERT INTO people (id, full_name, first_name, last_name) VALUES
    (20001, 'Mary Ann Smith', 'Mary Ann', 'Smith'),
    (20002, 'Prince', 'Prince', NULL);
