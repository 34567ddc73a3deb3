"""How often somebody may ask, and when trying is over: counters in the cache, for any door.

They hold for as long as the cache remembers; each process has its own where there is no Redis.
"""

import re
import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.core.cache import cache

from foundation.errors import TooMany

_RATE = re.compile(r"(\d+)/(s|sec|m|min|h|hour|d|day)")
_REMEMBERED = 24 * 60 * 60
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds."""

    count: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Read "1200/min" (or /s, /hour, /day); raises ValueError."""
        match = _RATE.fullmatch(text)
        if match is None or int(match[1]) < 1:
            raise ValueError(f"{text!r} is no rate such as 1200/min.")
        return cls(int(match[1]), _SECONDS[match[2][0]])


def take(scope: str, ident: str, rate: Rate) -> None:
    """Count one request of `ident`; raises TooMany (with the seconds to wait) over the rate.

    Time is cut into windows of the rate's length: cheap, one number for each, and the same in all
    processes. Across the edge of two windows twice the rate may pass.
    """
    now = time.time()
    window, into = divmod(now, rate.seconds)
    if _count(f"rate:{scope}:{ident}:{window:.0f}", rate.seconds) > rate.count:
        raise TooMany(wait=rate.seconds - into)


@dataclass(frozen=True, slots=True)
class LockOut:
    """After `rate` failures of one `ident` the next tries are not even looked at, for a while."""

    scope: str
    rate: Rate

    def check(self, ident: str) -> None:
        """Raise TooMany while `ident` is locked out."""
        if cache.get(self._key(ident), 0) >= self.rate.count:
            raise TooMany(wait=self.rate.seconds)

    def fail(self, ident: str) -> bool:
        """Count a failure; the time runs from the first. Whether this one locks `ident` out."""
        return _count(self._key(ident), self.rate.seconds) == self.rate.count

    def _key(self, ident: str) -> str:
        return f"locked:{self.scope}:{ident}"


def is_first(scope: str, ident: str, seconds: int) -> bool:
    """Whether nobody asked the same within the last `seconds`: for what is told once, not often."""
    return bool(cache.add(f"first:{scope}:{ident}", 1, seconds))


def left_out(scope: str, ident: str, seconds: int) -> int | None:
    """Return how many of `ident` were left out since the last that was told; None leaves this out.

    One in `seconds` is told. Nothing is said of those after the last one until there is another;
    their number is remembered for a day.
    """
    key = f"left-out:{scope}:{ident}"
    if not is_first(scope, ident, seconds):
        _count(key, _REMEMBERED)
        return None
    count = int(cache.get(key, 0))
    if count:
        cache.incr(key, -count)  # not deleted: others count meanwhile
    return count


def block_of(address: str | None) -> str:
    """Return what one sender has of the internet: an IPv4 address, or the /64 of an IPv6 one."""
    if address is None:
        return "unknown"
    known = ip_address(address)
    # RFC 4291 §2.5.4: a host has 64 bits to itself, and takes as many addresses as it likes.
    return address if known.version == 4 else str(ip_network((known, 64), strict=False))  # noqa: PLR2004


def _count(key: str, seconds: int) -> int:
    if (together := getattr(cache, "count", None)) is not None:
        return int(together(key, seconds))
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it ended between the two
        cache.set(key, 1, seconds)
        return 1
