"""What a web process counts of its memory, written down for /metrics every few seconds.

Whichever process is scraped answers for all: each has a row of its own, and a label of its own.
"""

import json
import logging
import os
import socket
import uuid
from bisect import bisect_left
from typing import Any

from certificates import answer_log
from certificates.models import OCSPResponse
from pki_wellknown.memory.clock import elapsed
from pki_wellknown.memory.store import Memory
from pki_wellknown.models import LATENCY_BUCKETS, WebProcess

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
# Where nothing was asked and nothing learned.
IDLE_SECONDS = 30.0
GONE_AFTER_SECONDS = 120
# Questions are noted once an hour: what was asked for lately is signed ahead.
NOTED_EVERY_SECONDS = 3600
_BATCH = 500
_TABLE, _ANSWERS = WebProcess._meta.db_table, OCSPResponse._meta.db_table  # noqa: SLF001

_COLUMNS = (
    "hits", "misses", "entries", "confirmation_seconds", "latency_seconds", "latency_counts",
)  # fmt: skip
_NOW = {"postgresql": "now()", "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"}
_AGO = {
    "postgresql": "now() - interval '{} seconds'",
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-{} seconds')",
}


class Figures:
    """An observer of `follow.Follower`, on its connection and in its thread."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._name = ""
        self._process = 0
        self._written = float("-inf")
        self._told: tuple[int, int] = (-1, -1)
        self._confirmed = float("inf")
        self._oldest = 0.0
        self._sum = 0.0
        self._counts = [0] * (len(LATENCY_BUCKETS) + 1)

    def __call__(self, source: Any, page: answer_log.Page, fresh: list[answer_log.Change]) -> None:
        """Count what was learned, and write it down every few seconds."""
        now = elapsed()
        self._oldest = max(self._oldest, now - self._confirmed)
        confirmation = self._memory.confirmation
        self._confirmed = confirmation.asked_at if confirmation else now
        for change in fresh:
            age = max(0.0, change.age_seconds)
            self._sum += age
            self._counts[bisect_left(LATENCY_BUCKETS, age)] += 1
        told = (self._memory.counts.hits + self._memory.counts.misses, sum(self._counts))
        if now - self._written < (IDLE_SECONDS if told == self._told else EVERY_SECONDS):
            return
        self._written, self._told = now, told
        try:
            self._write(source)
            self._note(source)
        except Exception as error:  # noqa: BLE001 - figures must not keep answers from being confirmed
            logger.info("figures of OCSP from memory are not written: %s", error)

    def _write(self, source: Any) -> None:
        if self._process != os.getpid():
            self._process = os.getpid()
            self._name = f"{socket.gethostname()[:60]}-{self._process}-{uuid.uuid4().hex[:6]}"
        counts = self._memory.counts
        values = [
            counts.hits,
            counts.misses,
            len(self._memory),
            self._oldest,
            self._sum,
            json.dumps(self._counts),
        ]
        names = ", ".join(_COLUMNS)
        marks = ", ".join(["%s"] * len(_COLUMNS))
        changes = ", ".join(f"{one} = excluded.{one}" for one in ("seen_at", *_COLUMNS))
        vendor = source.vendor
        with source.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {_TABLE} (name, seen_at, {names})"  # noqa: S608
                f" VALUES (%s, {_NOW[vendor]}, {marks})"
                f" ON CONFLICT (name) DO UPDATE SET {changes}",
                [self._name, *values],
            )
            gone = _AGO[vendor].format(GONE_AFTER_SECONDS)
            cursor.execute(f"DELETE FROM {_TABLE} WHERE seen_at < {gone}", [])  # noqa: S608
        self._oldest = 0.0

    def _note(self, source: Any) -> None:
        """Say of the answers that were asked for that they were."""
        asked = sorted(self._memory.asked())
        vendor = source.vendor
        ago = _AGO[vendor].format(NOTED_EVERY_SECONDS)
        # Who signs it anew has it locked, and is not waited for.
        lock = "FOR UPDATE SKIP LOCKED" if vendor == "postgresql" else ""
        with source.cursor() as cursor:
            for begin in range(0, len(asked), _BATCH):
                some = asked[begin : begin + _BATCH]
                marks = ", ".join(["%s"] * len(some))
                cursor.execute(
                    f"UPDATE {_ANSWERS} SET asked_at = {_NOW[vendor]} WHERE id IN ("  # noqa: S608
                    f"SELECT id FROM {_ANSWERS} WHERE id IN ({marks})"
                    f" AND (asked_at IS NULL OR asked_at < {ago}) {lock})",
                    some,
                )
