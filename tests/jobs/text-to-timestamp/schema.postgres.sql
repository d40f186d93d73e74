CREATE TABLE events (id {{id}}, created_text varchar(40), created_at timestamptz);
INSERT INTO events (id, created_text)
SELECT n, concat('20', 10 + n % 20, '-0', 1 + n % 9, '-', 10 + n % 19, ' ', 10 + n % 14, ':', 10 + n % 50, ':', 10 + n % 50)
FROM numbers WHERE n <= 3000;
INSERT INTO events (id, created_text) VALUES
    (10001, '2024-02-29 23:59:59'),
    (10002, '2024-02-29T23:59:59'),
    (10003, '2000-02-29 00:00:00'),
    (10004, '1969-12-31 23:59:59'),
    (10005, '2999-12-31 23:59:59'),
    -- An hour that does not exist where clocks change, and exists in UTC.
    (10006, '2024-03-31 02:30:00');
-- No times, though some functions think so.
INSERT INTO events (id, created_text) VALUES
    (20001, NULL),
    (20002, ''),
    (20003, 'n/a'),
    (20004, 'now'),
    (20005, '2460000'),
    (20006, '31/12/2019'),
    (20007, '0000-00-00 00:00:00'),
    (20008, '2023-02-29 12:00:00'),
    (20009, '1900-02-29 12:00:00'),
    (20010, '2024-02-30 12:00:00'),
    (20011, '2024-04-31 12:00:00'),
    (20012, '2024-13-01 12:00:00'),
    (20013, '2024-00-10 12:00:00'),
    (20014, '2024-01-01 24:00:00'),
    (20015, '2024-01-01 12:60:00'),
    (20016, '2024-01-01 12:00:60'),
    (20017, '2024-01-01 12:00:00
'),
    (20018, ' 2024-01-01 12:00:00'),
    (20019, '2024-01-01 12:00:00 or so'),
    (20020, '2024-01-01');
-- Written by the new code already.
INSERT INTO events (id, created_text, created_at) VALUES (30001, '2024-06-01 08:00:00', '2024-06-01 08:00:00+00');
