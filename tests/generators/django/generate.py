"""Writes what `sqlmigrate` prints of each migration of the shop, and then migrates for real.

usage: generate.py URL FOLDER
"""

import io
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

# Django's MySQL backend asks for mysqlclient, which has to be compiled.
import pymysql

pymysql.version_info = (2, 2, 7, "final", 0)
pymysql.install_as_MySQLdb()

BACKENDS = {"postgres": "postgresql", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite3"}


def database(url):
    parts = urlsplit(url)
    known = {"ENGINE": f"django.db.backends.{BACKENDS[parts.scheme]}"}
    if parts.scheme == "sqlite":
        return known | {"NAME": parts.path}
    return known | {
        "NAME": parts.path.lstrip("/"),
        "HOST": parts.hostname,
        "PORT": parts.port,
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password),
    }


def main(url, folder):
    settings.configure(
        DATABASES={"default": database(url)},
        INSTALLED_APPS=["shop"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SILENCED_SYSTEM_CHECKS=["models.W036", "models.W038", "models.W044"],
        USE_TZ=True,
    )
    django.setup()
    migrations = Path(__file__).parent / "shop" / "migrations"
    for name in sorted(path.stem for path in migrations.glob("0*.py")):
        printed = io.StringIO()
        call_command("sqlmigrate", "shop", name, stdout=printed, no_color=True)
        Path(folder, f"{name}.sql").write_text(printed.getvalue())
        call_command("migrate", "shop", name, verbosity=0)


main(*sys.argv[1:])
