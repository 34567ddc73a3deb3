"""A shared cache that is away costs one wait in a while, and what is counted still counts."""

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

from foundation.cache import ASKED_AGAIN_SECONDS, SteadyRedisCache


@pytest.fixture
def asked(monkeypatch):
    """Redis that is away; what it was asked for is listed."""
    asked = []

    def away(self, key, *_, **__):
        asked.append(key)
        raise RedisError

    monkeypatch.setattr(RedisCache, "add", away)
    monkeypatch.setattr(SteadyRedisCache, "away_until", 0.0)
    monkeypatch.setattr(SteadyRedisCache, "alone", LocMemCache("away-in-a-test", {}))
    yield asked
    SteadyRedisCache.alone.clear()


@pytest.fixture
def cache():
    return SteadyRedisCache("redis://192.0.2.1:6379/0", {})


def test_while_redis_is_away_this_process_remembers(asked, cache):
    assert cache.add("a", 1)
    assert not cache.add("a", 1)


def test_it_is_asked_again_after_a_while_and_not_at_once(asked, cache, monkeypatch):
    cache.add("a", 1)
    SteadyRedisCache("redis://192.0.2.1:6379/0", {}).add("b", 1)
    assert asked == ["a"]

    monkeypatch.setattr(
        SteadyRedisCache, "away_until", SteadyRedisCache.away_until - ASKED_AGAIN_SECONDS
    )
    cache.add("c", 1)
    assert asked == ["a", "c"]
