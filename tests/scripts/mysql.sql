-- What the client cuts in more ways than at every `;`.
SET @a = 'it\'s; fine', @b = "so; \"is\" this", @c = 'and ''this;''';
CREATE TABLE `odd;name` (id int, note varchar(20) DEFAULT ';');
SELECT 5--1 AS six; SELECT 2;
/*!40101 SET @old = @@sql_mode */;
SELECT 1 /* ; /* */ + 1;
CREATE TABLE f (
  id int,
  delimiter char(1) NOT NULL
);
use information_schema
use mysql; SELECT 7;
\u information_schema
SELECT 8;
\d //
CREATE PROCEDURE q() BEGIN SELECT 1; SELECT 2; END//
delimiter "$$"
CREATE TRIGGER t BEFORE INSERT ON `odd;name` FOR EACH ROW
BEGIN
  SET NEW.note = 'a;b';
  SET NEW.id = NEW.id + 1;
END$$
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END $$
delimiter //
CREATE FUNCTION f() RETURNS int DETERMINISTIC BEGIN RETURN 1; END//
DELIMITER ;
INSERT INTO `odd;name` VALUES (1, 'x');
SELECT 3\G
SELECT 4 \g
SELECT 'no end'
