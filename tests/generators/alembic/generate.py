"""Writes what `alembic upgrade --sql` prints of each revision, and then upgrades for real.

usage: generate.py URL FOLDER
"""

import io
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

DRIVERS = {
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}


def main(url, folder):
    scheme, rest = url.split(":", 1)
    # SQLAlchemy's path is absolute behind four slashes.
    rest = f"///{rest}" if scheme == "sqlite" else rest
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = f"{DRIVERS[scheme]}:{rest}"
    script = ScriptDirectory.from_config(config)
    for revision in reversed(list(script.walk_revisions())):
        printed = io.StringIO()
        config.output_buffer = printed
        step = f"{revision.down_revision or 'base'}:{revision.revision}"
        command.upgrade(config, step, sql=True)
        Path(folder, f"{Path(revision.path).stem}.sql").write_text(printed.getvalue())
    command.upgrade(config, "head")


main(*sys.argv[1:])
