"""OCSP answers in this process's memory: which are there, and which may be given now.

An answer is `good` only as long as nobody has revoked, and whoever revokes does so in the database.
So what is kept here is confirmed again and again (`follow`): each confirmation says that all that
was committed before it began has been dropped. Where the last one is older than what is promised,
nothing that a revocation could have changed is given from here; what is revoked for good stays so.
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from certificates.answer_log import News

Headers = tuple[tuple[str, str], ...]
# A process that was stopped, or a machine that slept, has missed what its clock did not count:
# CLOCK_MONOTONIC stands still while Linux sleeps, CLOCK_BOOTTIME does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds that nobody can set and that go on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


@dataclass(frozen=True, slots=True)
class Known:
    """A signed answer as it goes out; times are seconds since 1970.

    `validators` go with a 304 too, `content` with the bytes alone. Final is what no revocation and
    no release can change: revoked, and not on hold.
    """

    issuer: UUID
    serial: str
    der: bytes
    etag: str
    content: Headers
    validators: Headers
    is_final: bool
    begins: float
    fresh_until: float
    ends: float


@dataclass(frozen=True, slots=True)
class Confirmation:
    """When the database was last asked (`elapsed`), what it knew, and the time that it was then."""

    asked: float
    generations: Mapping[UUID, int]
    wall: float


class Memory:
    """At most `limit` answers by key, the least recently given dropped first; for any thread.

    `promised` is how old a confirmation may be for an answer that a revocation could change.
    """

    def __init__(self, *, limit: int, promised: timedelta) -> None:
        self._limit = limit
        self._promised = promised.total_seconds()
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, Known] = OrderedDict()
        self._keys: dict[UUID, dict[str, set[Hashable]]] = defaultdict(lambda: defaultdict(set))
        self._confirmed: Confirmation | None = None
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._answers)

    def mark(self) -> Confirmation | None:
        """Return what is confirmed: to be taken before an answer is read that is to be kept."""
        return self._confirmed

    def now(self) -> float:
        """Return the time as the database told it, counted on from there; ours before it has."""
        confirmed = self._confirmed
        if confirmed is None:
            return time.time()
        return confirmed.wall + elapsed() - confirmed.asked

    def fresh(self, key: Hashable) -> tuple[Known, float] | None:
        """Return what may be given, and the time, if it is not to be signed anew by now."""
        with self._lock:
            known = self._answers.get(key)
            if known is None:
                self.misses += 1
                return None
            self._answers.move_to_end(key)
            now = self._may_be_given(known)
            if now is None or now >= known.fresh_until:
                self.misses += 1
                return None
            self.hits += 1
            return known, now

    def in_force(self, key: Hashable) -> tuple[Known, float] | None:
        """Return what may be given, and the time, though it is to be signed anew."""
        with self._lock:
            known = self._answers.get(key)
            now = self._may_be_given(known) if known else None
            return None if known is None or now is None else (known, now)

    def _may_be_given(self, known: Known) -> float | None:
        confirmed = self._confirmed
        if confirmed is None:
            return None
        age = elapsed() - confirmed.asked
        if age > self._promised and not known.is_final:
            return None
        now = confirmed.wall + age
        return now if known.begins <= now < known.ends else None

    def keep(self, key: Hashable, known: Known, *, mark: Confirmation | None) -> None:
        """Keep an answer that was read after `mark` was taken.

        Not where something of its issuer's was dropped since: it may have been read before that.
        """
        with self._lock:
            confirmed = self._confirmed
            if mark is None or confirmed is None:
                return
            before = mark.generations.get(known.issuer, 0)
            if confirmed.generations.get(known.issuer, 0) != before:
                return
            self._answers[key] = known
            self._answers.move_to_end(key)
            self._keys[known.issuer][known.serial].add(key)
            while len(self._answers) > self._limit:
                self._forget_oldest()

    def confirm(self, news: News, *, asked: float, at: datetime) -> None:
        """Drop what `news` names, and call the rest confirmed by a query sent at `asked`.

        `at` is the time by the database's clock at that moment.
        """
        with self._lock:
            for issuer in news.whole:
                for serial in list(self._keys.get(issuer, ())):
                    self._drop(issuer, serial)
            for issuer, serials in news.serials.items():
                for serial in serials:
                    self._drop(issuer, serial)
            self._confirmed = Confirmation(asked, dict(news.generations), at.timestamp())

    def _drop(self, issuer: UUID, serial: str) -> None:
        for key in self._keys[issuer].pop(serial, ()):
            self._answers.pop(key, None)

    def _forget_oldest(self) -> None:
        key, known = self._answers.popitem(last=False)
        serials = self._keys[known.issuer]
        serials[known.serial].discard(key)
        if not serials[known.serial]:
            del serials[known.serial]
