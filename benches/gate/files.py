"""Writes N migration files of a few statements each, the same in every run."""

import pathlib
import random
import sys

folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
random.seed(7)
TYPES = ["integer", "bigint", "text", "varchar(80)", "numeric(12, 2)", "timestamptz", "jsonb", "boolean"]


def column():
    return f"c{random.randrange(1000)}"


def table():
    return f"t{random.randrange(500)}"


STATEMENTS = [
    lambda: f"ALTER TABLE {table()} ADD COLUMN {column()} {random.choice(TYPES)};",
    lambda: f"ALTER TABLE {table()} ADD COLUMN {column()} uuid DEFAULT gen_random_uuid();",
    lambda: f"ALTER TABLE {table()} ALTER COLUMN {column()} SET NOT NULL;",
    lambda: f"ALTER TABLE {table()} ALTER COLUMN {column()} TYPE {random.choice(TYPES)};",
    lambda: f"ALTER TABLE {table()} DROP COLUMN {column()};",
    lambda: f"CREATE INDEX CONCURRENTLY {table()}_idx ON {table()} ({column()}, {column()});",
    lambda: f"CREATE INDEX {table()}_idx ON {table()} ({column()}) WHERE {column()} > 0;",
    lambda: f"ALTER TABLE {table()} ADD CONSTRAINT {column()}_fk FOREIGN KEY ({column()}) REFERENCES {table()} (id) NOT VALID;",
    lambda: f"ALTER TABLE {table()} VALIDATE CONSTRAINT {column()}_fk;",
    lambda: f"CREATE TABLE {table()}_{random.randrange(10**6)} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a {random.choice(TYPES)}, b {random.choice(TYPES)} NOT NULL);",
    lambda: f"UPDATE {table()} SET {column()} = 0 WHERE {column()} IS NULL;",
    lambda: f"DROP TABLE {table()};",
]

for number in range(count):
    body = "\n".join(random.choice(STATEMENTS)() for _ in range(random.randrange(2, 6)))
    text = f"-- migration {number}\nSET lock_timeout = '5s';\nBEGIN;\n{body}\nCOMMIT;\n"
    (folder / f"{number:05}.sql").write_text(text)
