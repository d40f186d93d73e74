"""What most teams write: select the next keys, update them, commit, and again.

The server is that of $THROUGHPUT_URL. Debian's python3-psycopg2 and python3-pymysql are enough.
"""

import argparse
import os
from urllib.parse import unquote, urlsplit


def connect(database):
    url = urlsplit(os.environ["THROUGHPUT_URL"])
    at = {
        "host": url.hostname,
        "port": url.port,
        "user": unquote(url.username),
        "password": unquote(url.password),
    }
    if database == "postgres":
        import psycopg2

        return psycopg2.connect(dbname=url.path[1:], **at)
    import pymysql

    return pymysql.connect(database=url.path[1:], **at)


def above(columns):
    """The rows after a key, in the form for which every server has an index."""
    alternatives = []
    for at, column in enumerate(columns):
        equal = [f"{earlier} = %s" for earlier in columns[:at]]
        alternatives.append(" AND ".join([*equal, f"{column} > %s"]))
    return " OR ".join(f"({one})" for one in alternatives)


def main():
    parser = argparse.ArgumentParser()
    for name in ["database", "table", "key", "set", "batch"]:
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    columns = [column.strip() for column in asked.key.split(",")]
    key = ", ".join(columns)
    select = f"SELECT {key} FROM {asked.table} {{}} ORDER BY {key} LIMIT {asked.batch}"
    # The expression may hold a percent sign.
    update = f"UPDATE {asked.table} SET {asked.set.replace('%', '%%')} WHERE "
    # PostgreSQL makes a tree of comparisons of a list of pairs, and 10,000 are too deep.
    by_values = asked.database == "postgres" and 1 < len(columns)
    update += f"({key}) IN (VALUES %s)" if by_values else f"({key}) IN %s"

    connection = connect(asked.database)
    cursor = connection.cursor()
    last = None
    while True:
        if last is None:
            cursor.execute(select.format(""))
        else:
            binds = [value for at in range(len(columns)) for value in last[: at + 1]]
            cursor.execute(select.format(f"WHERE {above(columns)}"), binds)
        rows = cursor.fetchall()
        if not rows:
            break
        keys = [row[0] for row in rows] if len(columns) == 1 else rows
        if by_values:
            from psycopg2.extras import execute_values

            execute_values(cursor, update, keys, page_size=len(keys))
        else:
            cursor.execute(update, [tuple(keys)])
        connection.commit()
        last = rows[-1]


main()
