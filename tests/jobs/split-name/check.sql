-- is: 3000
SELECT count(*) FROM people
WHERE id <= 3000 AND first_name = concat('First', id) AND last_name = concat('Last', id);

-- No name of no word was made one of an empty word.
-- is: 3
SELECT count(*) FROM people
WHERE id IN (10001, 10002, 10003) AND first_name IS NULL AND last_name IS NULL;

-- is: 3
SELECT count(*) FROM people
WHERE id IN (10004, 10009, 20002) AND first_name = full_name AND last_name IS NULL;

-- is: [Ada][Lovelace]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 10005;

-- is: [Ludwig][van Beethoven]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 10006;

-- is: [Zoë][O'Hara-Núñez]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 10007;

-- is: [李][小龍]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 10008;

-- is: [100%][_ Real]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 10010;

-- What somebody entered stays.
-- is: [Mary Ann][Smith]
SELECT concat('[', first_name, '][', last_name, ']') FROM people WHERE id = 20001;
