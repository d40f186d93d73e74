-- A collation without case, under which the job must find its work as well.
CREATE TABLE users (id {{id}}, email TEXT COLLATE NOCASE, note varchar(20));
CREATE UNIQUE INDEX users_email ON users (email);
INSERT INTO users (email, note)
SELECT concat('User.', n, '@Example.ORG'), 'mixed' FROM numbers WHERE n <= 2000;
INSERT INTO users (email, note)
SELECT concat('user.', n, '@example.org'), 'right' FROM numbers WHERE n BETWEEN 2001 AND 4000;
INSERT INTO users (email, note) VALUES
    (NULL, 'null'),
    (NULL, 'null'),
    ('', 'empty'),
    ('  Ada@Example.com ', 'spaces'),
    ('grace@example.com ', 'one space'),
    ('Zoë.O''Hara+News@Example.com', 'odd');
