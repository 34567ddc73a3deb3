"""How often somebody may ask, at any door: counted without REST framework."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache

from foundation.errors import TooMany
from foundation.outcomes import outcome_of
from foundation.rates import LockOut, Rate, is_first, take

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
TWICE = Rate(2, 60)


@pytest.fixture(autouse=True)
def _own_memory(settings):
    """A cache whose time a test can move: Redis has its own."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as moved:
        yield moved


def test_so_many_pass_and_the_next_is_told_how_long_to_wait(clock):
    clock.shift(15)
    take("principal", "alice", TWICE)
    take("principal", "alice", TWICE)

    with pytest.raises(TooMany) as refused:
        take("principal", "alice", TWICE)

    assert refused.value.wait == 45
    outcome = outcome_of(refused.value)
    assert (outcome.status, outcome.code) == (429, "throttled")
    assert outcome.headers == {"Retry-After": "46"}


def test_others_and_other_doors_are_counted_for_themselves():
    for scope, ident in (("rest", "alice"), ("rest", "bob"), ("est", "alice")):
        take(scope, ident, Rate(1, 60))


def test_the_next_minute_begins_anew(clock):
    take("principal", "alice", TWICE)
    take("principal", "alice", TWICE)
    clock.shift(60)

    take("principal", "alice", TWICE)


def test_after_so_many_failures_the_next_try_is_not_looked_at(clock):
    lock = LockOut("password", TWICE)
    for _ in range(2):
        lock.check("alice@192.0.2.1")
        lock.fail("alice@192.0.2.1")

    with pytest.raises(TooMany):
        lock.check("alice@192.0.2.1")

    lock.check("alice@192.0.2.2")
    clock.shift(61)
    lock.check("alice@192.0.2.1")


def test_the_same_is_told_once_in_a_while(clock):
    assert is_first("refusal", "192.0.2.1", 60)
    assert not is_first("refusal", "192.0.2.1", 60)
    clock.shift(61)
    assert is_first("refusal", "192.0.2.1", 60)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1200/min", Rate(1200, 60)), ("5/s", Rate(5, 1)), ("7/hour", Rate(7, 3600))],
)
def test_a_rate_is_read_as_people_write_it(text, rate):
    assert Rate.parse(text) == rate


@pytest.mark.parametrize("text", ["", "1200", "0/min", "-1/min", "x/min", "5/fortnight"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="no rate"):
        Rate.parse(text)
