"""The longest tests first, so that no worker is left alone with them at the end.

A test marked `takes(seconds)` on a machine at rest goes before those that say nothing, the
longest first. Among tests of the database Django's own order stays: those that empty it after
themselves come last. The mark stands at the test, so every worker of xdist sorts alike.
"""

import pytest

DATABASE = {"db", "transactional_db", "live_server"}


def seconds(item: pytest.Item) -> float:
    """How long the test takes, as it says itself."""
    mark = item.get_closest_marker("takes")
    return float(mark.args[0]) if mark else 0.0


def uses_database(item: pytest.Item) -> bool:
    """Whether pytest-django gives the test its place."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE) or item.get_closest_marker("django_db") is not None


@pytest.hookimpl(trylast=True)  # after pytest-django has sorted them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long ones to the front, and leave the others in their order."""
    items.sort(key=lambda item: 0.0 if uses_database(item) else -seconds(item))
