-- What SQLite cuts in more ways than at every `;`.
CREATE TABLE "odd;name" (id integer, [an;other] text DEFAULT 'it''s; fine');
INSERT INTO `odd;name` VALUES (1, '\'); SELECT 2;
SELECT 1 /* ; /* */ + 1;
CREATE TABLE log (n);
CREATE TEMP TRIGGER t AFTER INSERT ON "odd;name" BEGIN
  INSERT INTO log VALUES (CASE NEW.id WHEN 1 THEN 2 END);
  SELECT 'END;';
END;
CREATE TRIGGER IF NOT EXISTS u AFTER DELETE ON log BEGIN SELECT 1; END;
EXPLAIN QUERY PLAN SELECT 3;
CREATE VIEW triggering AS SELECT 1 AS "trigger";
SELECT 4
