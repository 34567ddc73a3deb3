"""Words for events that are only about the trail, and jobs to decide on."""

import pytest

from audit.actions import ACTIONS, Action
from tests.jobs.conftest import ask, awaiting, issued  # noqa: F401 - pytest finds them here

WORDS = ["x", "y", "z", "lost", "kept", "first", "=HYPERLINK()", *(f"step.{n}" for n in range(5))]


@pytest.fixture(autouse=True)
def _words_of_these_tests(monkeypatch):
    for word in WORDS:
        monkeypatch.setitem(ACTIONS, word, Action(word, "A word of a test."))
