"""The tests' own eye for who waits: it must see a lock that is missing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from owners.models import Team
from tests import races
from tests.factories import TeamFactory
from tests.races import beside, meanwhile, until_blocked

pytestmark = pytest.mark.django_db(transaction=True)


def rename(team, name):
    with transaction.atomic():
        Team.objects.filter(pk=team.pk).update(name=name)
    return name


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as workers:
        yield workers


@pytest.fixture
def team():
    return TeamFactory(name="web")


def test_who_changes_the_same_row_is_seen_to_wait(team):
    assert meanwhile(lambda: rename(team, "first"), lambda: rename(team, "second")) == "second"

    team.refresh_from_db()
    assert team.name == "second"


def test_who_only_reads_waits_for_nobody(team):
    with pytest.raises(AssertionError, match="it waited for nobody: 'web'"):
        meanwhile(lambda: rename(team, "first"), lambda: Team.objects.get(pk=team.pk).name)


def test_who_fails_before_the_lock_waits_for_nobody(team):
    def refuse():
        raise LookupError("before the lock")

    with pytest.raises(AssertionError, match="waited for nobody: LookupError"):
        meanwhile(lambda: rename(team, "first"), refuse)


def test_who_does_something_else_is_not_waited_for_long(team, pool, monkeypatch):
    monkeypatch.setattr(races, "PATIENCE", 0.2)
    over = threading.Event()

    other = beside(pool, lambda: over.wait(20))
    try:
        with transaction.atomic():
            rename(team, "first")
            with pytest.raises(AssertionError, match="neither waits nor ends"):
                until_blocked(other)
    finally:
        over.set()


@pytest.mark.postgres
def test_who_changes_another_row_waits_for_nobody(team):
    """SQLite has but one lock."""
    other = TeamFactory(name="mail")

    with pytest.raises(AssertionError, match="it waited for nobody: 'second'"):
        meanwhile(lambda: rename(team, "first"), lambda: rename(other, "second"))
