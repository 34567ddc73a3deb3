"""Whoever comes from the first release keeps their trail, CRLs and OCSP answers."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
DUMPS = Path(__file__).resolve().parent / "first_release"


@pytest.fixture
def first_release(db, tmp_path):
    """Load the dump for the database that the tests run on; its URL is returned."""
    dump = (DUMPS / f"{connection.vendor}.sql").read_text()
    if connection.vendor == "sqlite":
        file = tmp_path / "first.sqlite3"
        with sqlite3.connect(file) as database:
            database.executescript(dump)
        database.close()
        yield f"sqlite:///{file}"
        return
    given, name = connection.settings_dict, f"first_release_{os.getpid()}"
    where = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}".format(
        **{key: quote(str(value), safe="") for key, value in given.items()}
    )
    with psycopg.connect(f"{where}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            with psycopg.connect(f"{where}/{name}", autocommit=True) as database:
                database.execute(dump)
            yield f"{where}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def run(url, tmp_path, *command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CERTCTL_TEST_")}
    environment |= {"DATABASE_URL": url, "CERTCTL_VAR_DIR": str(tmp_path)}
    environment["DJANGO_SETTINGS_MODULE"] = "certctl.settings"
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_trail_crl_and_ocsp_of_the_first_release_hold_after_migrating(first_release, tmp_path):
    run(first_release, tmp_path, "manage.py", "migrate", "--no-input")
    verified = run(first_release, tmp_path, "manage.py", "audit_verify")

    seen = json.loads(run(first_release, tmp_path, "-m", "tests.audit.first_release.look"))

    assert f"The audit trail holds: {seen['events']} event(s)" in verified
    assert seen["events"] > 40
    assert seen["verified"] == [seen["events"], ""]
    # The old events have none; the CRL that was just published wrote one of today's.
    assert seen["old formats"] == ["2", "None"]
    number, is_signed, is_listed = seen["crl"]
    assert (is_signed, is_listed, seen["ocsp"]) == (True, True, "REVOKED")
    assert seen["next crl"] == [number + 1, True, True]
    assert seen["verified afterwards"] == seen["events"] + 1
    assert seen["refused changes"] == 2
