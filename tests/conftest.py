"""What every test can ask for: see tests/fixtures.py, tests/servers.py and tests/browser.py."""

from tests.fixtures import *  # noqa: F403 - pytest finds fixtures by name here
from tests.fixtures import _fresh_cache, _no_broker  # noqa: F401

pytest_plugins = [
    "tests.servers",
    "tests.browser",
    "tests.processes",
    "tests.order",
    "tests.connectors",
    "tests.remote_ca",
]
