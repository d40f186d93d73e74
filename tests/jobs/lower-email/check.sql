-- `LIKE` and `=` may go without case; `replace` never does.
-- is: 4000
SELECT count(*) FROM users
WHERE note IN ('mixed', 'right') AND replace(email, '@example.org', '!') LIKE 'user.%!';

-- is: 0
SELECT count(*) FROM users WHERE replace(email, 'U', '') <> email;

-- Lengths, because some collations ignore a space at the end.
-- is: 15
SELECT length(email) FROM users WHERE note = 'spaces' AND replace(email, 'ada@example.com', '') = '';

-- is: 17
SELECT length(email) FROM users WHERE note = 'one space';

-- is: zoë.o'hara+news@example.com
SELECT email FROM users WHERE note = 'odd';

-- is: 2
SELECT count(*) FROM users WHERE email IS NULL;

-- is: 1
SELECT count(*) FROM users WHERE email = '' AND note = 'empty';
