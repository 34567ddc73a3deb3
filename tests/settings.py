"""Settings of the test suite.

By default the embedded ones: SQLite in a file, no Redis. With CERTCTL_TEST_DATABASE_URL, which
tools/run_tests.py sets for its second half, those of production: PostgreSQL, and Redis as cache.
"""

import atexit
import base64
import os
import shutil
import tempfile
from pathlib import Path

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")

# One folder for the run, made and removed by the first process; xdist's workers inherit it.
if "CERTCTL_TEST_DIR" not in os.environ:
    os.environ["CERTCTL_TEST_DIR"] = tempfile.mkdtemp(prefix="certctl-tests-")
    atexit.register(shutil.rmtree, os.environ["CERTCTL_TEST_DIR"], ignore_errors=True)
_folder = Path(os.environ["CERTCTL_TEST_DIR"], WORKER)
_folder.mkdir(exist_ok=True)
(_folder / "static").mkdir(exist_ok=True)  # whitenoise warns about a folder that is not there

os.environ["SECRET_KEY"] = "a key for tests only, never for an installation" + "x" * 20
os.environ["CERTCTL_KEY_ENCRYPTION_KEYS"] = base64.b64encode(b"t" * 32).decode()
os.environ["CERTCTL_VAR_DIR"] = str(_folder)
os.environ["DATABASE_URL"] = os.environ.get("CERTCTL_TEST_DATABASE_URL") or (
    f"sqlite:///{_folder}/db.sqlite3"
)
os.environ["REDIS_URL"] = ""
if {"CERTCTL_TEST_DATABASE_URL", "CERTCTL_TEST_REDIS_URL"} <= os.environ.keys():
    # A database of its own for each worker, for the tests empty the cache.
    os.environ["REDIS_URL"] = (
        f"{os.environ['CERTCTL_TEST_REDIS_URL']}/{int(WORKER.removeprefix('gw'))}"
    )
os.environ["ALLOWED_HOSTS"] = "*"
os.environ["CERTCTL_PKI_BASE_URL"] = "http://pki.test"
# Playwright's sync API runs an event loop in the test's own thread, which Django mistakes for
# asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from certctl.settings import *  # noqa: E402, F403
from certctl.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"] + ".test"}
API_RATE = "100000/min"
