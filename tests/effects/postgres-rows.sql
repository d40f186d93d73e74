-- Statements that write or read rows: triggers by event, rules, foreign keys and what they set off,
-- inheritance, partitions by range, list and hash, MERGE, FOR UPDATE, WITH, ON CONFLICT, views over
-- views, functions and procedures that call one another. The format is that of `postgres.sql`.
CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, email text UNIQUE, boss bigint REFERENCES users (id) ON DELETE SET NULL);
CREATE TABLE posts (id bigserial PRIMARY KEY, author bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE, body text, seen timestamptz DEFAULT now());
CREATE INDEX posts_author_idx ON posts (author);
CREATE TABLE comments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, post bigint REFERENCES posts (id) ON DELETE CASCADE, text text);
CREATE TABLE likes (comment bigint REFERENCES comments (id), by_user bigint REFERENCES users (id) ON DELETE RESTRICT, PRIMARY KEY (comment, by_user));
CREATE TABLE tags (name text PRIMARY KEY);
CREATE TABLE tagged (post bigint REFERENCES posts (id) ON DELETE SET NULL, tag text DEFAULT 'none' REFERENCES tags (name) ON DELETE SET DEFAULT ON UPDATE CASCADE);
CREATE TABLE audit (id bigserial, what text);
CREATE TABLE counts (what text PRIMARY KEY, n bigint);
CREATE TABLE items (id bigint PRIMARY KEY, price numeric(10, 2), stock integer, note text);
CREATE FUNCTION log_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (what) VALUES ('i'); RETURN NEW; END $$;
CREATE FUNCTION log_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE counts SET n = n + 1 WHERE what = TG_OP; RETURN NEW; END $$;
CREATE FUNCTION look_up() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE found_name text; BEGIN SELECT name INTO found_name FROM tags LIMIT 1; RETURN OLD; END $$;
CREATE TRIGGER items_insert AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION log_insert();
CREATE TRIGGER items_price BEFORE UPDATE OF price ON items FOR EACH ROW EXECUTE FUNCTION log_update();
CREATE TRIGGER items_delete BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION look_up();
CREATE TABLE ruled (id bigint PRIMARY KEY, a text);
CREATE TABLE shadow (id bigint, a text);
CREATE RULE ruled_insert AS ON INSERT TO ruled DO ALSO INSERT INTO shadow VALUES (NEW.id, NEW.a);
CREATE RULE ruled_delete AS ON DELETE TO ruled DO INSTEAD UPDATE shadow SET a = NULL WHERE id = OLD.id;
CREATE TABLE kept (id bigint PRIMARY KEY, a text);
CREATE RULE kept_delete AS ON DELETE TO kept DO INSTEAD NOTHING;
CREATE TABLE base (id bigint PRIMARY KEY, a text);
CREATE TABLE sub (b text) INHERITS (base);
CREATE TABLE subsub (c text) INHERITS (sub);
CREATE INDEX sub_a_idx ON sub (a);
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO (MAXVALUE) PARTITION BY LIST (kind);
CREATE TABLE events_3_a PARTITION OF events_3 FOR VALUES IN ('a', 'b');
CREATE TABLE events_3_rest PARTITION OF events_3 DEFAULT;
CREATE INDEX events_id_idx ON events (id);
CREATE TABLE numbers (n integer NOT NULL, m numeric, t text) PARTITION BY RANGE (n);
CREATE TABLE numbers_low PARTITION OF numbers FOR VALUES FROM (0) TO (100);
CREATE TABLE numbers_high PARTITION OF numbers FOR VALUES FROM (100) TO (200);
CREATE TABLE numbers_rest PARTITION OF numbers DEFAULT;
CREATE TABLE lists (id bigint, country text DEFAULT 'de') PARTITION BY LIST (country);
CREATE TABLE lists_de PARTITION OF lists FOR VALUES IN ('de', 'at');
CREATE TABLE lists_us PARTITION OF lists FOR VALUES IN ('us');
CREATE TABLE lists_null PARTITION OF lists FOR VALUES IN (NULL);
CREATE TABLE pairs (a integer, b integer) PARTITION BY RANGE (a, b);
CREATE TABLE pairs_1 PARTITION OF pairs FOR VALUES FROM (0, 0) TO (1, 10);
CREATE TABLE pairs_2 PARTITION OF pairs FOR VALUES FROM (1, 10) TO (2, MAXVALUE);
CREATE UNIQUE INDEX pairs_idx ON pairs (a, b);
CREATE TABLE flags (on_off boolean, id bigint) PARTITION BY LIST (on_off);
CREATE TABLE flags_on PARTITION OF flags FOR VALUES IN (true);
CREATE TABLE flags_off PARTITION OF flags FOR VALUES IN (false);
CREATE TABLE stamps (at timestamp, id bigint) PARTITION BY RANGE (at);
CREATE TABLE stamps_1 PARTITION OF stamps FOR VALUES FROM ('2025-01-01') TO ('2025-01-01 12:00');
CREATE TABLE stamps_2 PARTITION OF stamps FOR VALUES FROM ('2025-01-01 12:00:00') TO ('2025-02-01');
CREATE TABLE hashed (id bigint, x text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE VIEW names AS SELECT id, name FROM users;
CREATE VIEW short_names AS SELECT id, name FROM names WHERE length(name) < 10;
CREATE VIEW joined AS SELECT p.id, u.name FROM posts p JOIN users u ON u.id = p.author;
CREATE FUNCTION joined_insert() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO users (id, name) VALUES (NEW.id, NEW.name); RETURN NEW; END $$;
CREATE TRIGGER joined_insert INSTEAD OF INSERT ON joined FOR EACH ROW EXECUTE FUNCTION joined_insert();
CREATE MATERIALIZED VIEW totals AS SELECT author, count(*) AS n FROM posts GROUP BY author;
CREATE FUNCTION bump(w text) RETURNS void LANGUAGE sql AS $$ UPDATE counts SET n = n + 1 WHERE what = w $$;
CREATE FUNCTION bump_twice() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM bump('a'); PERFORM bump('b'); END $$;
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM users $$;
CREATE FUNCTION read_posts() RETURNS SETOF posts LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM posts; END $$;
CREATE FUNCTION walk() RETURNS integer LANGUAGE plpgsql AS $$ DECLARE r record; n integer := 0; BEGIN FOR r IN SELECT * FROM tags LOOP n := n + 1; END LOOP; RETURN n; END $$;
CREATE FUNCTION put() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE got bigint; BEGIN INSERT INTO audit (what) VALUES ('p') RETURNING id INTO got; RETURN got; END $$;
CREATE FUNCTION plain_one() RETURNS integer LANGUAGE sql RETURN 1;
CREATE FUNCTION atomic_one() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM items; END;
CREATE FUNCTION dynamic(t text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM shadow'; END $$;
CREATE PROCEDURE clean() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM audit; CALL more_clean(); END $$;
CREATE PROCEDURE more_clean() LANGUAGE sql AS $$ DELETE FROM counts $$;
CREATE TABLE defaulted (id bigint, n bigint DEFAULT put(), c bigint CHECK (c IS NULL OR how_many() >= 0));
CREATE TABLE looped (id bigint PRIMARY KEY);
CREATE FUNCTION loop_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE looped SET id = id WHERE id = NEW.id AND pg_trigger_depth() < 2; RETURN NULL; END $$;
CREATE TRIGGER loop_on AFTER UPDATE ON looped FOR EACH ROW EXECUTE FUNCTION loop_on();
CREATE SEQUENCE tickets;
CREATE TABLE numbered (id bigint PRIMARY KEY DEFAULT nextval('tickets'), made bigint GENERATED ALWAYS AS (id * 2) STORED, at timestamptz DEFAULT now());
CREATE TABLE orders (id bigint NOT NULL, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE lines (id bigint PRIMARY KEY, ord bigint, day date, FOREIGN KEY (ord, day) REFERENCES orders (id, day) ON DELETE CASCADE);
CREATE TABLE notes (id bigint PRIMARY KEY, line bigint REFERENCES lines (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE watched (id bigint PRIMARY KEY, a text, b text);
CREATE TABLE watched_log (n bigint);
CREATE TABLE truncated_log (n bigint);
CREATE FUNCTION note_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO watched_log SELECT count(*) FROM gone; RETURN NULL; END $$;
CREATE FUNCTION note_truncate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO truncated_log VALUES (1); RETURN NULL; END $$;
CREATE FUNCTION note_when() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shadow VALUES (1, 'w'); RETURN NULL; END $$;
CREATE TRIGGER watched_all AFTER DELETE ON watched REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_all();
CREATE TRIGGER watched_truncate AFTER TRUNCATE ON watched FOR EACH STATEMENT EXECUTE FUNCTION note_truncate();
CREATE TRIGGER watched_when AFTER UPDATE ON watched FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION note_when();
CREATE TRIGGER lists_de_insert AFTER INSERT ON lists_de FOR EACH ROW EXECUTE FUNCTION note_when();
CREATE TRIGGER flags_any AFTER INSERT ON flags FOR EACH ROW EXECUTE FUNCTION note_when();
CREATE TRIGGER subsub_update BEFORE UPDATE ON subsub FOR EACH ROW EXECUTE FUNCTION log_insert();
CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM shadow; RETURN a; END $$;
CREATE FUNCTION twice(a text) RETURNS text LANGUAGE sql AS $$ SELECT name FROM tags WHERE name = a $$;
CREATE FUNCTION down(n integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN IF n > 0 THEN RETURN down(n - 1); END IF; RETURN (SELECT count(*) FROM ruled); END $$;
CREATE FUNCTION lower(a integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN DELETE FROM shadow; RETURN a; END $$;
CREATE VIEW counted AS SELECT id, plain_one() AS one, down(1) AS deep FROM kept;
CREATE VIEW top AS SELECT * FROM counted;
CREATE VIEW limited AS SELECT id FROM kept LIMIT 1;
CREATE VIEW within AS SELECT id, a FROM kept WHERE id IN (SELECT id FROM shadow);
CREATE VIEW renamed AS SELECT id AS key, a AS value FROM kept;
INSERT INTO users VALUES (1, 'a', 'a@x', NULL), (2, 'b', 'b@x', 1), (3, 'c', 'c@x', NULL);
INSERT INTO posts (author, body) VALUES (1, 'x'), (2, 'y');
INSERT INTO comments (post, text) VALUES (1, 'x');
INSERT INTO tags VALUES ('none'), ('a');
INSERT INTO tagged VALUES (2, 'a');
INSERT INTO counts VALUES ('a', 0), ('b', 0), ('UPDATE', 0);
INSERT INTO items VALUES (1, 1, 1, 'n');
INSERT INTO ruled VALUES (1, 'a');
INSERT INTO kept VALUES (1, 'a');
INSERT INTO base VALUES (1, 'a');
INSERT INTO sub VALUES (2, 'a', 'b');
INSERT INTO subsub VALUES (3, 'a', 'b', 'c');
INSERT INTO events VALUES (1, '2024-01-01', 'a'), (2, '2025-05-05', 'a'), (3, '2026-05-05', 'a'), (4, '2026-05-05', 'z');
INSERT INTO numbers VALUES (1, 1, 'x'), (150, 1, 'x'), (1000, 1, 'x');
INSERT INTO lists VALUES (1, 'de'), (2, 'us'), (3, NULL);
INSERT INTO looped VALUES (1);
INSERT INTO numbered (id) VALUES (1000);
INSERT INTO orders VALUES (1, '2025-05-05'), (2, '2026-05-05'), (3, '2026-05-05');
INSERT INTO lines VALUES (1, 1, '2025-05-05'), (2, 2, '2026-05-05');
INSERT INTO notes VALUES (1, 2);
INSERT INTO watched VALUES (1, 'a', 'b');
-- cases

INSERT INTO users VALUES (4, 'd', 'd@x', 1)

INSERT INTO users (id, name) VALUES (4, 'd')

INSERT INTO users (id, name, boss) VALUES (4, 'd', 2), (5, 'e', 4)

INSERT INTO users SELECT id + 100, name FROM users

INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT DO NOTHING

INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name

INSERT INTO users (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET boss = 2

INSERT INTO users AS u (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (name, boss) = (excluded.name, 2) WHERE u.id = 1

INSERT INTO posts (author, body) VALUES (1, 'z')

INSERT INTO posts (id, author) VALUES (10, 1)

INSERT INTO posts VALUES (DEFAULT, 1, 'z')

INSERT INTO posts (author, body) SELECT id, name FROM users RETURNING id

INSERT INTO comments (post, text) VALUES (1, 'z')

INSERT INTO comments DEFAULT VALUES

INSERT INTO comments OVERRIDING SYSTEM VALUE VALUES (50, 1, 'z')

INSERT INTO likes VALUES (1, 1)

INSERT INTO tagged (post) VALUES (1)

INSERT INTO audit (what) VALUES ('x')

INSERT INTO items VALUES (2, 1, 1, 'n')

INSERT INTO items (id) SELECT 5

-- more: a row that is there is not inserted
INSERT INTO items (id, price) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET price = excluded.price

-- more: a row that is there is not inserted
INSERT INTO items (id, price) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET stock = 3

INSERT INTO ruled VALUES (2, 'b')

INSERT INTO kept VALUES (2, 'b')

INSERT INTO base VALUES (9, 'x')

INSERT INTO sub VALUES (9, 'x', 'y')

INSERT INTO events VALUES (9, '2024-06-06', 'a')

INSERT INTO events VALUES (9, '2025-06-06', 'a')

INSERT INTO events VALUES (9, '2026-06-06', 'b')

INSERT INTO events VALUES (9, '2026-06-06', 'other')

INSERT INTO events VALUES (9, '2026-06-06', NULL)

INSERT INTO events (day, id) VALUES (date '2025-02-03', 9)

INSERT INTO events (id, day) VALUES (9, '2025-02-03'::date), (10, '2024-02-03')

-- more: where a row goes is not known before it is computed
INSERT INTO events (id, day) VALUES (9, now())

-- more: where a row goes is not known before it is computed
INSERT INTO events SELECT id + 100, day, kind FROM events_2

INSERT INTO events_2 VALUES (9, '2025-06-06', 'a')

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO events_3 VALUES (9, '2026-06-06', 'a')

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO events_3_a VALUES (9, '2026-06-06', 'a')

INSERT INTO events VALUES (1, '2024-01-01', 'a') ON CONFLICT DO NOTHING

INSERT INTO pairs VALUES (0, 1) ON CONFLICT (a, b) DO UPDATE SET b = excluded.b

INSERT INTO pairs VALUES (0, 1), (1, 20) ON CONFLICT (a, b) DO NOTHING

INSERT INTO numbers VALUES (5)

INSERT INTO numbers VALUES (99), (100)

INSERT INTO numbers VALUES (-5)

INSERT INTO numbers VALUES ('150', 2, 'x')

INSERT INTO numbers VALUES (200, 2, 'x')

-- more: where a row goes is not known before it is computed
INSERT INTO numbers VALUES (5 + 5)

INSERT INTO lists VALUES (1, 'at')

INSERT INTO lists VALUES (1)

INSERT INTO lists (id) VALUES (1)

INSERT INTO lists VALUES (1, NULL)

INSERT INTO lists (country) VALUES ('us')

INSERT INTO lists VALUES (1, 'nowhere')

INSERT INTO pairs VALUES (0, 100)

INSERT INTO pairs VALUES (1, 9)

INSERT INTO pairs VALUES (1, 10)

INSERT INTO pairs VALUES (2, 1000)

INSERT INTO flags VALUES (true, 1)

INSERT INTO flags VALUES ('f', 1)

INSERT INTO stamps VALUES ('2025-01-01 11:59:59.999', 1)

INSERT INTO stamps VALUES ('2025-01-01 12:00', 1)

-- more: where a row goes, its hash decides
INSERT INTO hashed VALUES (1, 'x')

COPY numbers TO STDOUT

COPY users TO STDOUT

COPY base (id) TO STDOUT

COPY names TO STDOUT

COPY totals TO STDOUT

COPY (SELECT * FROM users) TO STDOUT

UPDATE users SET name = 'z'

UPDATE users SET name = 'z' WHERE id = 1

UPDATE users SET boss = 1 WHERE id = 3

UPDATE users SET id = 100 WHERE id = 2

UPDATE users SET (name, boss) = ('q', 3) WHERE id = 2

UPDATE users u SET name = p.body FROM posts p WHERE p.author = u.id

UPDATE users SET name = (SELECT max(body) FROM posts WHERE author = users.id)

-- more: what a session has planned or looked up before, it does not look up again
UPDATE posts SET author = 3 WHERE id = 1

UPDATE posts SET body = 'q'

UPDATE tags SET name = 'b' WHERE name = 'a'

UPDATE items SET price = 5

UPDATE items SET stock = 5

UPDATE items SET "price" = 5, stock = 6

UPDATE items SET (price, stock) = (1, 2)

UPDATE ruled SET a = 'z'

UPDATE base SET a = 'z'

UPDATE ONLY base SET a = 'z'

UPDATE sub SET a = 'z'

UPDATE ONLY sub SET a = 'z'

UPDATE events SET kind = 'q'

UPDATE events SET day = '2025-07-07' WHERE id = 1

-- more: what a session has planned or looked up before, it does not look up again
UPDATE events_3 SET kind = 'q'

-- more: what a session has planned or looked up before, it does not look up again
UPDATE events_2 SET kind = 'q'

-- more: the planner leaves out partitions
UPDATE numbers SET t = 'q' WHERE n = 5

UPDATE numbers SET t = 'q'

UPDATE looped SET id = 1

UPDATE names SET name = 'z' WHERE id = 1

UPDATE short_names SET name = 'z' WHERE id = 1

DELETE FROM likes

DELETE FROM comments

DELETE FROM posts

-- more: no row refers to it
DELETE FROM posts WHERE id = 2

-- more: no row refers to it
DELETE FROM users WHERE id = 3

DELETE FROM users WHERE id = 2

DELETE FROM users USING posts WHERE posts.author = users.id AND users.id = 2

DELETE FROM tags WHERE name = 'a'

DELETE FROM items

DELETE FROM ruled

DELETE FROM kept

DELETE FROM base

DELETE FROM ONLY base

DELETE FROM sub

DELETE FROM events

DELETE FROM events_3

DELETE FROM numbers

-- more: no row refers to it
DELETE FROM names WHERE id = 3

-- more: what a session has planned or looked up before, it does not look up again
WITH gone AS (DELETE FROM items RETURNING *) INSERT INTO audit (what) SELECT note FROM gone

WITH gone AS (DELETE FROM comments RETURNING *) SELECT count(*) FROM gone

WITH a AS (UPDATE counts SET n = 5 RETURNING *), b AS (INSERT INTO audit (what) SELECT what FROM a RETURNING *) SELECT * FROM b JOIN tags ON true

WITH x AS (SELECT * FROM tags) UPDATE counts SET n = 6 FROM x WHERE x.name = counts.what

WITH RECURSIVE up AS (SELECT id, boss FROM users UNION ALL SELECT u.id, u.boss FROM users u JOIN up ON up.boss = u.id) SELECT * FROM up LIMIT 3

MERGE INTO counts c USING tags t ON c.what = t.name WHEN MATCHED THEN UPDATE SET n = 9 WHEN NOT MATCHED THEN INSERT VALUES (t.name, 0)

MERGE INTO items i USING (VALUES (1, 5)) v (id, price) ON v.id = i.id WHEN MATCHED THEN UPDATE SET price = v.price

MERGE INTO items i USING (VALUES (1, 5)) v (id, price) ON v.id = i.id WHEN MATCHED THEN UPDATE SET stock = 5

MERGE INTO items i USING (VALUES (7, 5)) v (id, price) ON v.id = i.id WHEN NOT MATCHED THEN INSERT (id, price) VALUES (v.id, v.price)

-- more: what a session has planned or looked up before, it does not look up again
MERGE INTO items i USING (VALUES (1, 5)) v (id, price) ON v.id = i.id WHEN MATCHED THEN DELETE

MERGE INTO users u USING posts p ON p.author = u.id WHEN MATCHED THEN UPDATE SET name = p.body

-- more: no row refers to it
MERGE INTO posts p USING users u ON p.author = u.id WHEN MATCHED AND u.id = 2 THEN DELETE

MERGE INTO events e USING tags t ON e.kind = t.name WHEN MATCHED THEN UPDATE SET kind = 'b'

MERGE INTO lists l USING tags t ON l.country = t.name WHEN NOT MATCHED THEN INSERT VALUES (1, 'de')

MERGE INTO base b USING tags t ON b.a = t.name WHEN MATCHED THEN UPDATE SET a = 'q'

MERGE INTO ONLY base b USING tags t ON b.a = t.name WHEN MATCHED THEN UPDATE SET a = 'q'

MERGE INTO counts c USING tags t ON c.what = t.name WHEN MATCHED THEN DO NOTHING

SELECT * FROM users

SELECT * FROM users FOR UPDATE

SELECT * FROM users u JOIN posts p ON p.author = u.id FOR UPDATE OF p

SELECT * FROM users u JOIN posts p ON p.author = u.id FOR UPDATE OF u, p SKIP LOCKED

SELECT * FROM users u JOIN posts ON author = u.id FOR SHARE OF posts

SELECT * FROM users u JOIN posts p ON p.author = u.id FOR NO KEY UPDATE OF p FOR KEY SHARE OF u

SELECT * FROM (SELECT * FROM users) q FOR UPDATE

SELECT * FROM (SELECT * FROM users) q JOIN posts ON author = q.id FOR UPDATE OF q

SELECT * FROM posts WHERE author IN (SELECT id FROM users) FOR UPDATE

SELECT * FROM posts WHERE author IN (SELECT id FROM users FOR UPDATE)

WITH x AS (SELECT * FROM users) SELECT * FROM x JOIN posts ON author = x.id FOR UPDATE OF posts

WITH x AS (SELECT * FROM users FOR UPDATE) SELECT * FROM x JOIN posts ON author = x.id

SELECT * FROM names FOR UPDATE

SELECT * FROM short_names FOR SHARE

SELECT * FROM joined FOR UPDATE

SELECT * FROM ONLY base

SELECT * FROM ONLY base FOR UPDATE

SELECT * FROM base FOR UPDATE

SELECT * FROM base, ONLY sub

SELECT * FROM events FOR UPDATE

-- more: the planner leaves out partitions
SELECT * FROM events WHERE day < '2025-01-01'

SELECT * FROM totals

SELECT * FROM joined, short_names

SELECT count(*) FROM users UNION ALL SELECT count(*) FROM tags

SELECT EXISTS (SELECT 1 FROM users WHERE id = 1)

SELECT * FROM users u, LATERAL (SELECT * FROM posts p WHERE p.author = u.id) q

TABLE ONLY base

INSERT INTO names VALUES (9, 'x')

INSERT INTO short_names (id, name) VALUES (9, 'x')

INSERT INTO joined VALUES (9, 'x')

UPDATE joined SET name = 'x'

DELETE FROM joined

SELECT bump('a')

SELECT bump_twice()

SELECT how_many()

SELECT * FROM read_posts()

SELECT walk()

SELECT put()

SELECT plain_one()

SELECT atomic_one()

SELECT dynamic('x')

-- more: what a session has planned or looked up before, it does not look up again
SELECT id, how_many() FROM tags JOIN users ON true

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO audit (what) SELECT how_many()::text

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO counts VALUES ('z', how_many())

-- more: what a session has planned or looked up before, it does not look up again
UPDATE counts SET n = how_many()

DELETE FROM shadow WHERE id = put()

UPDATE counts SET n = plain_one() WHERE what = 'a'

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO defaulted (id) VALUES (1)

-- more: what a session has planned or looked up before, it does not look up again
INSERT INTO defaulted VALUES (1, 2, 3)

CREATE TABLE made AS SELECT put() AS n

CREATE TABLE made AS SELECT bump('a') IS NULL AS n

-- more: what a session has planned or looked up before, it does not look up again
CREATE TABLE made AS SELECT how_many() AS n

CALL clean()

-- more: what a session has planned or looked up before, it does not look up again
CALL more_clean()

-- more: what a session has planned or looked up before, it does not look up again
DO $$ BEGIN CALL clean(); END $$

DO $$ BEGIN PERFORM bump('a'); END $$

-- more: what a session has planned or looked up before, it does not look up again
DO $$ DECLARE n bigint; BEGIN n := how_many(); END $$

DO $$ DECLARE n bigint; BEGIN SELECT id INTO STRICT n FROM users WHERE id = 1; UPDATE items SET price = n; END $$

DO $$ DECLARE n bigint; m text; BEGIN SELECT id, name INTO n, m FROM users WHERE id = 1; END $$

DO $$ DECLARE n bigint; BEGIN DELETE FROM audit RETURNING id INTO n; END $$

DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM users LOOP UPDATE counts SET n = r.id; END LOOP; END $$

DO $$ DECLARE c CURSOR FOR SELECT * FROM tags; BEGIN OPEN c; CLOSE c; END $$

DO $$ BEGIN IF (SELECT count(*) FROM users) > 0 THEN INSERT INTO audit (what) VALUES ('x'); END IF; END $$

DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM tags) LOOP NULL; END LOOP; END $$

DO $$ BEGIN EXECUTE 'UPDATE counts SET n = 1'; END $$

DO $$ BEGIN CREATE TABLE made (id bigint REFERENCES users (id)); INSERT INTO made VALUES (1); DROP TABLE made; END $$

DO $$ BEGIN LOCK TABLE tags IN SHARE MODE; END $$

EXPLAIN SELECT * FROM users

EXPLAIN UPDATE items SET price = 1

EXPLAIN ANALYZE UPDATE items SET price = 1

EXPLAIN (ANALYZE) INSERT INTO users VALUES (50, 'x')

DECLARE c CURSOR FOR SELECT * FROM tags

PREPARE p AS UPDATE items SET price = 1

TRUNCATE base

TRUNCATE ONLY base

TRUNCATE ONLY sub

TRUNCATE ONLY events

TRUNCATE audit RESTART IDENTITY

TRUNCATE posts CASCADE

LOCK TABLE ONLY events IN SHARE MODE

LOCK TABLE ONLY base, sub IN EXCLUSIVE MODE

LOCK TABLE names IN SHARE MODE

-- more: the key stays as it is
UPDATE users SET id = id

INSERT INTO events VALUES (9, '2025-06-06', 'a'), (10, '2026-06-06', 'a') RETURNING id

CREATE OR REPLACE VIEW names AS SELECT id, name, email FROM users

CREATE OR REPLACE VIEW names AS SELECT id, email FROM users

CREATE OR REPLACE VIEW names (id, name) AS SELECT boss, email FROM users

CREATE OR REPLACE VIEW names AS SELECT u.id, u.name AS name FROM users u

ALTER TABLE numbers ATTACH PARTITION audit FOR VALUES FROM (300) TO (400)

-- setup: CREATE TABLE numbers_more (n integer NOT NULL, m numeric, t text, CHECK (n >= 300 AND n < 350))
ALTER TABLE numbers ATTACH PARTITION numbers_more FOR VALUES FROM (300) TO (400)

-- setup: CREATE TABLE numbers_more (n integer NOT NULL, m numeric, t text, CHECK (n >= 0)); ALTER TABLE numbers_rest ADD CHECK (n < 300 OR n >= 400)
ALTER TABLE numbers ATTACH PARTITION numbers_more FOR VALUES FROM (300) TO (400)

-- setup: ALTER TABLE numbers_rest ADD CHECK ((n >= 1000) AND (m IS NOT NULL))
CREATE TABLE numbers_more PARTITION OF numbers FOR VALUES FROM (300) TO (400)

-- setup: ALTER TABLE numbers_rest ADD CHECK (n >= 350)
-- unseen: numbers_rest
CREATE TABLE numbers_more PARTITION OF numbers FOR VALUES FROM (300) TO (400)

-- setup: ALTER TABLE events_3_rest ADD CHECK (kind IN ('z', 'y'))
CREATE TABLE events_3_c PARTITION OF events_3 FOR VALUES IN ('c')

-- setup: ALTER TABLE events_3_rest ADD CHECK (kind = 'z')
CREATE TABLE events_3_c PARTITION OF events_3 FOR VALUES IN ('c', 'd')

-- setup: CREATE TABLE lists_fr (id bigint, country text, CHECK (country = 'fr' AND country IS NOT NULL))
ALTER TABLE lists ATTACH PARTITION lists_fr FOR VALUES IN ('fr')

-- setup: CREATE TABLE lists_fr (id bigint, country text, CHECK (country = 'fr'))
ALTER TABLE lists ATTACH PARTITION lists_fr FOR VALUES IN ('fr')

-- setup: CREATE TABLE numbers_more (n integer, m numeric, t text, CHECK (n >= 300 AND n < 400))
ALTER TABLE numbers ATTACH PARTITION numbers_more FOR VALUES FROM (300) TO (400)

INSERT INTO numbered DEFAULT VALUES

INSERT INTO numbered (id) VALUES (5)

INSERT INTO numbered (at) VALUES (now())

INSERT INTO numbered (id) SELECT 7

INSERT INTO orders VALUES (9, '2025-02-02')

-- more: the planner leaves out partitions
INSERT INTO lines VALUES (9, 1, '2025-05-05')

INSERT INTO lines VALUES (9, NULL, '2025-05-05')

INSERT INTO lines (id) VALUES (9)

-- more: the planner leaves out partitions
INSERT INTO lines (id, ord, day) VALUES (9, NULL, NULL), (10, 1, '2025-05-05')

INSERT INTO notes VALUES (9, 1)

DELETE FROM orders WHERE id = 1

-- more: no row refers to it
DELETE FROM orders_2 WHERE id = 3

DELETE FROM lines WHERE id = 1

DELETE FROM watched

DELETE FROM watched WHERE false

UPDATE watched SET a = 'z'

-- more: the condition of a trigger is not computed
UPDATE watched SET b = 'z'

TRUNCATE watched

INSERT INTO lists VALUES (5, 'de')

INSERT INTO lists_de VALUES (5, 'de')

INSERT INTO flags_on VALUES (true, 5)

UPDATE subsub SET c = 'z'

UPDATE ONLY subsub SET c = 'z'

-- more: which of several functions is called, the types of its arguments decide
SELECT twice(1)

SELECT twice('a'::text), twice(2)

SELECT down(2)

SELECT lower(5)

-- more: which of several functions is called, the types of its arguments decide
SELECT lower('X')

-- more: which of several functions is called, the types of its arguments decide
SELECT public.twice(1)

-- more: what a session has planned or looked up before, it does not look up again
SELECT * FROM counted

-- more: what a session has planned or looked up before, it does not look up again
SELECT * FROM top

SELECT id FROM limited

UPDATE limited SET id = 2

UPDATE within SET a = 'z'

DELETE FROM within

INSERT INTO within VALUES (9, 'x')

INSERT INTO renamed VALUES (9, 'x')

UPDATE renamed SET value = 'z'

UPDATE joined SET name = 'x' WHERE id = 1

SELECT * FROM users WHERE id = (SELECT max(id) FROM posts) ORDER BY (SELECT count(*) FROM tags)

SELECT u.id FROM users u GROUP BY u.id HAVING count(*) > (SELECT count(*) FROM tags)

SELECT count(*) OVER (PARTITION BY author) FROM posts

SELECT DISTINCT ON (author) * FROM posts

SELECT * FROM generate_series(1, 3) g JOIN users ON users.id = g

SELECT * FROM unnest(ARRAY[1, 2]) u (n), tags

SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) r

SELECT * FROM users TABLESAMPLE SYSTEM (50)

SELECT CASE WHEN EXISTS (SELECT 1 FROM tags) THEN (SELECT count(*) FROM posts) ELSE 0 END

SELECT ARRAY(SELECT id FROM users), ROW((SELECT 1 FROM tags LIMIT 1))

(SELECT id FROM users) EXCEPT (SELECT author FROM posts) INTERSECT SELECT id FROM kept

SELECT users FROM users

SELECT (SELECT array_agg(p) FROM posts p)

VALUES ((SELECT count(*) FROM tags))

SELECT 1 INTO fresh FROM users

SELECT * INTO TEMP fresh FROM names

CREATE TABLE fresh AS SELECT * FROM top WITH NO DATA

CREATE TABLE fresh AS SELECT u.id FROM users u JOIN names n ON n.id = u.id WITH DATA

CREATE TABLE fresh AS TABLE base

CREATE TABLE fresh AS SELECT * FROM ONLY base

CREATE TABLE fresh AS VALUES (1)

CREATE TABLE IF NOT EXISTS users AS SELECT * FROM tags

CREATE VIEW fresh AS SELECT down(1) AS n FROM users

REFRESH MATERIALIZED VIEW totals

COPY tags FROM '/dev/null'

-- more: there are no rows in the file
COPY events FROM '/dev/null'

-- more: there are no rows in the file
COPY items (id) FROM '/dev/null'

-- more: what a session has planned or looked up before, it does not look up again
COPY (DELETE FROM items RETURNING id) TO STDOUT

COPY (SELECT id FROM names FOR UPDATE) TO STDOUT

INSERT INTO tags SELECT name FROM users WHERE false

INSERT INTO tags TABLE tags

INSERT INTO tags (SELECT name || 'x' FROM tags)

INSERT INTO tags WITH x AS (SELECT name FROM users) SELECT name FROM x

WITH x AS (SELECT name FROM users) INSERT INTO tags SELECT name FROM x

WITH x AS (INSERT INTO tags VALUES ('q') RETURNING name) UPDATE users SET name = x.name FROM x

WITH x AS (SELECT 1 AS id), y AS (DELETE FROM likes USING x WHERE likes.comment = x.id RETURNING *) SELECT * FROM x, y

WITH users AS (SELECT 1 AS id) SELECT * FROM users

-- more: the planner leaves out what nobody reads
WITH x AS MATERIALIZED (SELECT * FROM users) SELECT 1

UPDATE kept SET a = b.a FROM ONLY base b WHERE b.id = kept.id

UPDATE users SET name = 'z' FROM (SELECT * FROM posts) p WHERE p.author = users.id

UPDATE users SET name = DEFAULT WHERE false

UPDATE kept SET a = (SELECT name FROM names WHERE id = kept.id)

DELETE FROM kept WHERE a IN (SELECT name FROM tags)

UPDATE kept SET a = 'z' RETURNING (SELECT count(*) FROM tags)

INSERT INTO kept VALUES (3, (SELECT name FROM tags LIMIT 1))

INSERT INTO kept VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET a = (SELECT name FROM tags LIMIT 1)

INSERT INTO kept VALUES (1, 'z') ON CONFLICT ON CONSTRAINT kept_pkey DO NOTHING

EXPLAIN DELETE FROM posts

EXPLAIN INSERT INTO events VALUES (9, '2025-06-06', 'a')

EXPLAIN INSERT INTO posts (author) VALUES (1)

EXPLAIN SELECT bump('a')

EXPLAIN SELECT * FROM top

EXPLAIN MERGE INTO items i USING tags t ON t.name = i.note WHEN MATCHED THEN DELETE

EXPLAIN CREATE TABLE fresh AS SELECT * FROM users

EXPLAIN ANALYZE SELECT * FROM users FOR UPDATE

PREPARE p1 AS SELECT * FROM users

PREPARE p2 (bigint) AS DELETE FROM posts WHERE id = $1

DECLARE c CURSOR FOR SELECT * FROM names FOR UPDATE

DO $$ BEGIN PERFORM put(); INSERT INTO tags VALUES ('z') ON CONFLICT DO NOTHING; END $$

DO $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM tags' INTO n; END $$

DO $$ DECLARE r users%ROWTYPE; BEGIN SELECT * INTO r FROM users LIMIT 1; END $$

DO $$ DECLARE n bigint := (SELECT count(*) FROM tags); BEGIN NULL; END $$

DO $$ BEGIN FOR i IN 1..(SELECT count(*) FROM tags) LOOP PERFORM 1 FROM kept; END LOOP; END $$

DO $$ BEGIN MERGE INTO counts c USING tags t ON t.name = c.what WHEN MATCHED THEN DELETE; END $$

DO $$ DECLARE n bigint; BEGIN WITH x AS (SELECT id FROM users) SELECT count(*) INTO n FROM x; END $$

DO $$ DECLARE r record; BEGIN SELECT id, name INTO STRICT r FROM users WHERE id = 1; UPDATE kept SET a = 'x' RETURNING id INTO r; END $$

DO $$ BEGIN CREATE TEMP TABLE t ON COMMIT DROP AS SELECT * FROM users; INSERT INTO kept SELECT id + 50, name FROM t; END $$

DO $$ BEGIN IF false THEN RAISE NOTICE '%', (SELECT count(*) FROM kept); ELSE PERFORM count(*) FROM kept; END IF; END $$

DO LANGUAGE plpgsql $$ BEGIN RETURN; END $$
