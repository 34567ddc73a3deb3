"""Databases for the runs: migrated once, then copied for each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg

from tools.mutations.table import Database

TEMPLATE = "template_migrated"


def create(server: str, name: str) -> str:
    """Make an empty database on the PostgreSQL server and return its URL."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return _named(server, name)


def templates(root: Path, environments: dict[Database, dict[str, str]]) -> dict[Database, str]:
    """Migrate one database of each kind with the tree at `root`; return where they are."""
    made: dict[Database, str] = {}
    for database, environment in environments.items():
        if database is Database.SQLITE:
            made[database] = str(root.parent / "template.sqlite3")
            url = f"sqlite:///{made[database]}"
        else:
            made[database] = TEMPLATE
            url = create(environment["CERTCTL_TEST_DATABASE_URL"], TEMPLATE)
        # Without the test settings, which would put the database elsewhere.
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            cwd=root,
            env={**environment, **_SECRETS, "DATABASE_URL": url},
            check=True,
        )
    return made


def copy(template: str, database: Database, environment: dict[str, str]) -> None:
    """Put a copy of the template where the tests with this environment look for theirs."""
    if database is Database.SQLITE:
        folder = Path(environment["CERTCTL_TEST_DIR"], "gw0")
        folder.mkdir(exist_ok=True)
        # As tests/settings.py names it.
        shutil.copy(template, folder / "db.sqlite3.test")
        return
    url = environment["CERTCTL_TEST_DATABASE_URL"]
    name = f"test_{url.rpartition('/')[2]}"
    with psycopg.connect(_named(url, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _named(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


_SECRETS = {
    "SECRET_KEY": "for migrating alone",
    "CERTCTL_KEY_ENCRYPTION_KEYS": "bWlncmF0aW5nIG5lZWRzIG5vIGtleSBvZiBpdHMgb3c=",
    "CERTCTL_VAR_DIR": os.devnull,
}
