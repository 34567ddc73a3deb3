"""The log of dropped OCSP answers: whoever revokes appends, whoever keeps answers follows.

Each transaction that drops answers takes one more generation of the issuer's, and a row for each
serial. Generations commit in order (`AnswerGeneration` is locked until then), so a process that
knows one asks for what is after it and, as long as no generation is missing, has all of it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from certificates.models import AnswerChange, AnswerGeneration, AnswerMemory, Version

CHANNEL = "certctl_answers"
# A process that has not looked for so long drops all of an issuer's, which costs it a few misses.
KEPT = timedelta(hours=1)
MOST = 10_000  # serials that are told one by one; of more, the whole issuer is dropped
REPORTS_KEPT = timedelta(days=1)
ALL = ""


@dataclass(frozen=True, slots=True)
class News:
    """What was dropped after what was known: serials by issuer, and issuers of which all is."""

    generations: Mapping[UUID, int]
    serials: Mapping[UUID, frozenset[str]]
    whole: frozenset[UUID]
    written: tuple[datetime, ...]


def append(versions: Iterable[Version]) -> None:
    """Log that the answers of these versions are dropped; the caller holds the versions' locks.

    AnswerGeneration comes after Version in the order of locks, and rows of it by issuer: to be
    called once in a transaction, when no other lock but the trail's is to be taken.
    """
    by_issuer: dict[UUID, set[str]] = defaultdict(set)
    for version in versions:
        if version.issuer_id is not None:
            by_issuer[version.issuer_id].add(version.serial)
    _append(by_issuer)


def append_all(issuer_id: UUID) -> None:
    """Log that all answers of an issuer are dropped, as where their signer is not to be used."""
    _append({issuer_id: {ALL}})


def _append(by_issuer: Mapping[UUID, Collection[str]]) -> None:
    for issuer_id in sorted(by_issuer):
        number = _next(issuer_id)
        AnswerChange.objects.bulk_create(
            [
                AnswerChange(issuer_id=issuer_id, generation=number, serial=serial)
                for serial in sorted(by_issuer[issuer_id])
            ],
            batch_size=1000,
        )
    if by_issuer and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Delivered at the commit, once for however many.
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def _next(issuer_id: UUID) -> int:
    rows = AnswerGeneration.objects.filter(issuer=issuer_id)
    if not rows.update(number=F("number") + 1):
        AnswerGeneration.objects.bulk_create(
            [AnswerGeneration(issuer_id=issuer_id)], ignore_conflicts=True
        )
        rows.update(number=F("number") + 1)
    number: int = rows.values_list("number", flat=True).get()
    return number


def since(known: Mapping[UUID, int]) -> News:
    """Return what was dropped since the generations that are `known`; none are at first.

    One query where nothing was, two where something was. A stretch that is no longer kept, too
    long, or of a database that was restored, is told as the whole issuer.
    """
    newest = dict(AnswerGeneration.objects.values_list("issuer", "number"))
    behind = {issuer: number for issuer, number in newest.items() if known.get(issuer, 0) != number}
    rows = _rows(known, behind)
    serials: dict[UUID, set[str]] = defaultdict(set)
    seen: dict[UUID, set[int]] = defaultdict(set)
    for issuer, generation, serial, _ in rows:
        serials[issuer].add(serial)
        seen[issuer].add(generation)
    whole = {
        issuer
        for issuer, number in behind.items()
        if len(rows) > MOST
        or ALL in serials[issuer]
        or not set(range(known.get(issuer, 0) + 1, number + 1)) <= seen[issuer]
        or number < known.get(issuer, 0)
    }
    return News(
        newest,
        {one: frozenset(serials[one]) for one in behind if one not in whole},
        frozenset(whole),
        tuple(at for *_, at in rows),
    )


def _rows(
    known: Mapping[UUID, int], behind: Mapping[UUID, int]
) -> list[tuple[UUID, int, str, datetime]]:
    if not behind:
        return []
    after = Q()
    for issuer, number in behind.items():
        after |= Q(issuer=issuer, generation__gt=known.get(issuer, 0), generation__lte=number)
    rows = AnswerChange.objects.filter(after).order_by()
    return list(rows.values_list("issuer", "generation", "serial", "at")[: MOST + 1])


def report(row: AnswerMemory) -> None:
    """Write down what a process says of its memory."""
    AnswerMemory.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "hits", "misses", "entries", "confirmed_seconds", "latencies", "latency_sum",
            "reported_at",
        ],
    )  # fmt: skip


def forget(now: datetime) -> int:
    """Drop changes too old to be followed and reports of dead processes; return how many."""
    changes = AnswerChange.objects.filter(at__lt=now - KEPT).delete()[0]
    return changes + AnswerMemory.objects.filter(reported_at__lt=now - REPORTS_KEPT).delete()[0]
