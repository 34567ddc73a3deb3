"""What is usual under a profile: the keys and the lifetime of its newest certificates."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from certificates.models import Certificate

SAMPLE = 100  # certificates of a profile that are read, the newest
FEWEST = 3  # of fewer nothing can be said
BRANCHES = 100  # parts of one statement: SQLite takes 500
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual under a profile: the key that most have, all keys, and the middle lifetime."""

    keys: tuple[tuple[str, int | None], ...]  # the most frequent first
    lifetime: timedelta
    issuers: tuple[UUID | None, ...]  # who signed, the most frequent first


def usual_of(profiles: Iterable[UUID]) -> Mapping[UUID, Usual]:
    """Return what is usual under each of `profiles`; nothing where fewer than FEWEST were issued.

    Of each the SAMPLE newest certificates are read: one query for up to BRANCHES profiles.
    """
    rows: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for some in in_parts(sorted(set(profiles))):
        for row in union([_newest(profile) for profile in some]):
            rows[row["profile"]].append(row)
    return {profile: _usual(some) for profile, some in rows.items() if len(some) >= FEWEST}


def in_parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield `items` in parts, each for one statement."""
    for start in range(0, len(items), BRANCHES):
        yield items[start : start + BRANCHES]


def union(branches: list[QuerySet[Any, Any]]) -> Iterable[dict[str, Any]]:
    """Return the rows of all `branches`, of which there is one at least, by one statement."""
    first, *rest = branches
    return first.union(*rest, all=True) if rest else first


def _newest(profile: UUID) -> QuerySet[Any, Any]:
    issued = Certificate.objects.filter(profile=profile, current__isnull=False)
    newest = issued.order_by("-created_at", "pk").values("pk")[:SAMPLE]
    return (
        Certificate.objects.filter(pk__in=newest)
        .order_by()
        .values(
            "profile",
            "current__key_algorithm",
            "current__key_size",
            "current__not_before",
            "current__not_after",
            "current__issuer",
        )
    )


def _usual(rows: list[dict[str, Any]]) -> Usual:
    keys = Counter((row["current__key_algorithm"], row["current__key_size"]) for row in rows)
    issuers = Counter(row["current__issuer"] for row in rows)
    lifetimes = sorted(row["current__not_after"] - row["current__not_before"] for row in rows)
    return Usual(
        keys=tuple(key for key, _ in keys.most_common()),
        lifetime=lifetimes[len(lifetimes) // 2],
        issuers=tuple(issuer for issuer, _ in issuers.most_common()),
    )
