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


def test_what_is_counted_is_counted_in_redis_once_each_and_for_a_while(redis_url):
    cache = SteadyRedisCache(redis_url, {})
    cache.delete("counted")

    assert [cache.count("counted", 60) for _ in range(3)] == [1, 2, 3]
    assert cache.get("counted") == 3
    client = cache._cache.get_client()
    assert 0 < client.ttl(cache.make_key("counted")) <= 60


def test_counting_goes_on_in_this_process_while_redis_is_away(asked, cache, monkeypatch):
    def away(*_, **__):
        raise RedisError

    monkeypatch.setattr(cache._cache, "get_client", away)

    assert [cache.count("a", 60) for _ in range(3)] == [1, 2, 3]
    assert SteadyRedisCache.away_until > 0
