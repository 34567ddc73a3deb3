"""The log of OCSP answers that hold no longer: how web processes learn what to forget.

A change is appended in the transaction that makes it, so it is there if and only if the change
is. It is read without a gap although transactions commit in another order than they began: on
PostgreSQL by the number of the transaction, from the oldest that was still open when the log was
last read; on SQLite writers follow one another, and the row's own number does (decision 0048).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from certificates.models import AnswerChange, CurrentTransaction

CHANNEL = "certctl_answers"
# Longer than any transaction is open: what commits late must still be found by who looks.
KEEP = timedelta(hours=24)
# Who has not read for so long has missed what was pruned meanwhile.
MISSED_AFTER_SECONDS = 3600.0
# More than these at once are not named one by one.
MOST = 5000
BATCH = 1000
ALL = ""  # in the place of a serial: all answers of the issuer
MAX_SERIAL = 48  # characters: of what is longer there is no answer

_TABLE = AnswerChange._meta.db_table  # noqa: SLF001 - Django's public name for it
# One statement, so that the changes and the oldest open transaction are of one snapshot.
_POSTGRESQL = f"""
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           extract(epoch FROM clock_timestamp())::float8,
           c.id, c.issuer_id, c.serial, extract(epoch FROM clock_timestamp() - c.at)::float8
    FROM (SELECT 1) AS always LEFT JOIN {_TABLE} AS c ON c.transaction >= %s
    ORDER BY c.id LIMIT {MOST + 1}"""  # noqa: S608 - our own table
_SQLITE = f"""
    SELECT (SELECT max(id) FROM {_TABLE}), NULL,
           c.id, c.issuer_id, c.serial, (julianday('now') - julianday(c.at)) * 86400
    FROM (SELECT 1) AS always LEFT JOIN {_TABLE} AS c ON c.id > %s
    ORDER BY c.id LIMIT {MOST + 1}"""  # noqa: S608 - our own table


@dataclass(frozen=True, slots=True)
class Change:
    """One serial whose answers hold no longer, and for how many seconds that has been written."""

    number: int
    issuer_id: UUID
    serial: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """What was read: go on from `since`. Of `issuers` there were too many changes to name each.

    `missed`: the log is another than before (a restored database), so nothing is certain.
    `database_time` is the database's clock, in seconds since 1970; None where it is ours.
    """

    since: int
    changes: Sequence[Change]
    issuers: Collection[UUID] = field(default_factory=tuple)
    missed: bool = False
    database_time: float | None = None


def append(changes: Collection[tuple[UUID, str, Sequence[str]]]) -> None:
    """Append (issuer, serial, forms of the answers that went), and wake who reads at the commit."""
    AnswerChange.objects.bulk_create(
        [
            AnswerChange(
                issuer_id=issuer_id,
                serial=serial,
                transaction=CurrentTransaction(),
                at=Now(),
                forms=" ".join(sorted(forms)),
            )
            for issuer_id, serial, forms in changes
            if len(serial) <= MAX_SERIAL
        ],
        batch_size=BATCH,
    )
    if changes:
        wake()


def wake() -> None:
    """Tell all who listen that the log has grown, when this transaction commits.

    PostgreSQL sends nothing before that, and one message a transaction however often it is asked.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def read(source: Any, since: int | None) -> Page:
    """Read what was changed since the last reading, on a connection that is in no transaction.

    The first time (None) there is nothing to forget. A change may be given again.
    """
    postgresql = source.vendor == "postgresql"
    with source.cursor() as cursor:
        cursor.execute(_POSTGRESQL if postgresql else _SQLITE, [since])
        rows = cursor.fetchall()
        newest, database_time = rows[0][:2]
        if newest is None:
            newest = since or 0  # the log is empty
        changes = [
            Change(row[2], UUID(str(row[3])), row[4], row[5]) for row in rows if row[2] is not None
        ]
        issuers: Collection[UUID] = ()
        if len(changes) > MOST:
            column = "transaction >= %s" if postgresql else "id > %s"
            cursor.execute(f"SELECT DISTINCT issuer_id FROM {_TABLE} WHERE {column}", [since])  # noqa: S608
            issuers = [UUID(str(row[0])) for row in cursor.fetchall()]
    missed = since is not None and newest < since
    return Page(newest, changes, issuers, missed, database_time)


def prune(now: datetime) -> int:
    """Forget what every process has read long ago; return how many rows."""
    return AnswerChange.objects.filter(at__lt=now - KEEP).delete()[0]
