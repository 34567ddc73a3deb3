"""Whoever is not known cannot fill the trail, whatever they try and whatever they try it with.

Alice has a key, carol disables it; Mallory, who has none, sits at 198.51.100.7.
"""

import time

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from audit.models import Event
from foundation.rates import block_of, left_out
from owners import actors, keys, services
from owners.models import ApiKey
from tests.owners.test_refusals import wrong

HERE = "198.51.100.7"
ME, OWNERS = "/api/v1/me/", "/api/v1/owners/"


@pytest.fixture
def our_clock(settings):
    """Count in this process: Redis has a clock of its own, which no test moves."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with time_machine.travel("2026-01-01 10:00:00", tick=False) as clock:
        yield clock


def with_key(whole, address=HERE):
    client = APIClient(REMOTE_ADDR=address)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {whole}")
    return client.get(ME).status_code


def told():
    rows = Event.objects.filter(actor=None).order_by("sequence")
    return [(row.action, row.data.get("left_out", 0)) for row in rows]


@pytest.fixture
def tries(alice, carol, key_of):
    """Return one try of each kind: `tries[kind](address)` makes it."""
    live, old = key_of(alice, name="live"), key_of(alice, name="old")
    services.disable_api_key(actor=carol, key_id=ApiKey.objects.get(name="old").pk)
    login = {"username": "alice", "password": "wrong"}
    return {
        "unknown key": lambda at: with_key(keys.make()[0], at),
        "another unknown key": lambda at: with_key(keys.make()[0], at),
        "wrong secret": lambda at: with_key(wrong(live), at),
        "disabled key": lambda at: with_key(old, at),
        "no key": lambda at: APIClient(REMOTE_ADDR=at).post(OWNERS, {}).status_code,
        "wrong password": lambda at: (
            Client(REMOTE_ADDR=at).post("/admin/login/", login).status_code
        ),
    }


def test_of_all_kinds_together_one_a_minute_is_told_and_the_next_counts_the_others(
    tries, our_clock
):
    before = len(told())
    for _ in range(2):
        for one in tries.values():
            one(HERE)
    our_clock.shift(61)
    tries["no key"](HERE)
    our_clock.shift(61)
    tries["wrong password"](HERE)

    assert told()[before:] == [
        ("apikey.refuse", 0),
        ("owner.create.refuse", 2 * len(tries) - 1),
        ("principal.login_failed", 0),
    ]


@pytest.mark.parametrize(
    "first", ["unknown key", "wrong secret", "disabled key", "no key", "wrong password"]
)
def test_each_kind_is_told_where_it_comes_first(tries, first):
    before = len(told())

    status = tries[first](HERE)

    assert status in {200, 401}
    assert len(told()[before:]) == 1


def test_a_disabled_key_is_told_under_its_name(tries):
    tries["disabled key"](HERE)

    assert Event.objects.get(action="apikey.refuse").actor_name == "old"


@pytest.mark.parametrize(
    ("other", "count"),
    [("2001:db8:1:2::9", 1), ("2001:db8:1:2:ffff::", 1), ("2001:db8:1:3::1", 2), (HERE, 2)],
)
def test_an_ipv6_sender_is_its_network_of_64_bits(tries, other, count):
    tries["unknown key"]("2001:db8:1:2::1")
    tries["unknown key"](other)

    assert len(told()) == count


def test_wrong_keys_of_one_network_are_counted_as_one_senders(tries, alice, key_of):
    whole = key_of(alice)
    for number in range(actors.WRONG_KEYS.rate.count):
        assert with_key(wrong(whole), f"2001:db8:1:2::{number:x}") == 401

    assert with_key(whole, "2001:db8:1:2::ffff") == 429
    assert with_key(whole, "2001:db8:1:3::1") == 200


def test_a_lock_out_is_told_beside_the_refusals_once(tries, alice, key_of):
    whole = key_of(alice)
    for _ in range(actors.WRONG_KEYS.rate.count + 3):
        with_key(wrong(whole))

    assert told() == [("apikey.refuse", 0), ("apikey.lock_out", 0)]


def test_a_locked_out_name_is_told_once_a_minute_too(tries):
    for _ in range(8):
        tries["wrong password"](HERE)

    assert told() == [("principal.login_failed", 0), ("principal.lock_out", 0)]


def test_a_known_caller_who_is_throttled_is_told_how_many_were_left_out(
    carol, client_of, settings, our_clock
):
    client = client_of(carol)
    settings.API_RATE = "1/min"
    for number in range(4):
        client.post(OWNERS, {"name": f"o{number}"})
    our_clock.shift(61)
    for number in range(4, 6):
        client.post(OWNERS, {"name": f"o{number}"})

    refused = Event.objects.filter(action="owner.create.refuse").order_by("sequence")
    assert [event.data.get("left_out", 0) for event in refused] == [0, 2]


def test_what_is_counted_while_it_is_told_is_told_the_next_time(our_clock):
    assert [left_out("x", "y", 60) for _ in range(4)] == [0, None, None, None]
    our_clock.shift(61)
    assert [left_out("x", "y", 60) for _ in range(2)] == [3, None]
    assert left_out("x", "another", 60) == 0
    our_clock.shift(61)
    assert left_out("x", "y", 60) == 1


def test_the_count_starts_anew_in_the_cache_of_the_installation_too():
    assert [left_out("x", "z", 1) for _ in range(3)] == [0, None, None]
    time.sleep(1.1)
    assert left_out("x", "z", 1) == 2
    time.sleep(1.1)
    assert left_out("x", "z", 1) == 0


def test_a_sender_without_an_address_is_one_sender():
    assert block_of(None) == block_of(None) == "unknown"
    assert block_of("192.0.2.1") == "192.0.2.1"
    assert block_of("2001:db8::1") == "2001:db8::/64"
