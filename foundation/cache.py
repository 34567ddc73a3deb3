"""A shared cache that may go away: then each process counts for itself until it is back."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError
from typing_extensions import override

logger = logging.getLogger(__name__)

# While it is away it is asked only so often, so that requests do not each wait for it.
ASKED_AGAIN_SECONDS = 5.0


def _steady(name: str) -> Callable[..., Any]:
    def method(self: "SteadyRedisCache", *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return getattr(RedisCache, name)(self, *args, **kwargs)
            except (RedisError, OSError) as error:
                _tell_away(error)
        return getattr(self.alone, name)(*args, **kwargs)

    method.__name__ = name
    return method


def _tell_away(error: Exception) -> None:
    logger.warning("Redis does not answer, counting in this process: %s", error)
    SteadyRedisCache.away_until = time.monotonic() + ASKED_AGAIN_SECONDS


class _KeptClient(RedisCacheClient):
    """Django's, with one client for all questions to a server: to make one costs as much as to ask.

    Each question takes a connection of the pool, so threads share the client.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[bool, Any] = {}

    @override
    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        client = self._clients.get(write)
        if client is None:
            client = self._clients[write] = super().get_client(key, write=write)
        return client


class SteadyRedisCache(RedisCache):
    """Redis, or this process's own memory while Redis is away or hangs.

    What is counted here (rates, wrong keys) then counts by process: looser, and never not at all.
    """

    # One of each in a process: Django makes a cache object for every thread.
    away_until = 0.0
    alone: BaseCache = LocMemCache("while-redis-is-away", {})

    add = _steady("add")
    get = _steady("get")
    set = _steady("set")
    touch = _steady("touch")
    delete = _steady("delete")
    get_many = _steady("get_many")
    has_key = _steady("has_key")
    incr = _steady("incr")
    set_many = _steady("set_many")
    delete_many = _steady("delete_many")
    clear = _steady("clear")

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient

    def count(self, key: str, seconds: int) -> int:
        """Return how often this was asked for `key` since the first time, up to `seconds` ago.

        What `add` and `incr` do, in one question to Redis.
        """
        if time.monotonic() >= self.away_until:
            name = self.make_and_validate_key(key)
            try:
                asked = self._cache.get_client(name, write=True).pipeline(transaction=False)
                asked.set(name, 0, ex=seconds, nx=True)
                asked.incr(name)
                return int(asked.execute()[1])
            except (RedisError, OSError) as error:
                _tell_away(error)
        self.alone.add(key, 0, seconds)
        return int(self.alone.incr(key))

    def is_reachable(self) -> bool:
        """Whether Redis itself answers now."""
        try:
            RedisCache.set(self, "certctl.reachable", 1, 5)
        except (RedisError, OSError):
            return False
        return True
