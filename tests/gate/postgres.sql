CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE DOMAIN label AS text;
CREATE DOMAIN short AS integer;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION total_of(wanted integer) RETURNS numeric LANGUAGE sql AS $$
    SELECT total FROM orders WHERE id = wanted
$$;
CREATE TABLE countries (code char(2) PRIMARY KEY, name text);
CREATE TABLE customers (id bigint PRIMARY KEY, name text, city text, country char(2));
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id bigint,
    total numeric(10, 2),
    amount integer CONSTRAINT amount_positive CHECK (amount > 0),
    note varchar(100),
    remark text,
    code char(5),
    title text COLLATE "C",
    placed_at timestamp(3),
    seen_at timestamptz,
    took interval(3),
    flags varbit(5),
    net cidr,
    feeling mood
);
CREATE INDEX orders_note_idx ON orders (note);
CREATE INDEX orders_title_idx ON orders (title);
CREATE TABLE items (
    id bigint PRIMARY KEY,
    order_id integer CONSTRAINT items_order_fk REFERENCES orders (id),
    amount integer,
    kind varchar(20) CONSTRAINT kind_known CHECK (kind <> '')
);
CREATE TABLE audit_log (id bigint PRIMARY KEY, said text, at timestamptz);
CREATE TABLE shown (id integer PRIMARY KEY, name varchar(10));
CREATE VIEW shown_names AS SELECT name FROM shown;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, total FROM orders;
CREATE UNIQUE INDEX totals_key ON totals (customer_id);
CREATE TABLE events (id bigint NOT NULL, at date NOT NULL, kind text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_2027 (id bigint NOT NULL, at date NOT NULL, kind text);
CREATE TABLE readings (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE readings_2026 PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
CREATE TABLE readings_2027 (id bigint NOT NULL, at date NOT NULL);
CREATE SEQUENCE tickets;
