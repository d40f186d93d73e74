CREATE TABLE orders (
    id          INTEGER PRIMARY KEY,
    email       TEXT,
    total       TEXT,
    currency    TEXT NOT NULL DEFAULT 'EUR',
    total_cents INTEGER,
    placed_at   TEXT NOT NULL
);
