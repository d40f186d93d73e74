CREATE TABLE people (id {{id}}, email varchar(100), note varchar(20));
INSERT INTO people (email, note) SELECT concat('Person.', n, '@Example.ORG'), 'x' FROM numbers WHERE n <= 500;
INSERT INTO people (email, note) SELECT concat('person.', n, '@example.org'), 'x' FROM numbers WHERE n <= 300;
INSERT INTO people (email, note) VALUES (NULL, 'x'), ('  blank@example.org ', 'x');
