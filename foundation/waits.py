"""Transactions that would rather give up than wait: for whoever must be answered at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def brief_transaction(seconds: float) -> Iterator[None]:
    """Open a transaction in which no lock of somebody else is waited for longer than `seconds`.

    Raises OperationalError after that (`foundation.outcomes.is_away`). On SQLite it is the write
    lock, which the transaction takes when it begins.
    """
    milliseconds = round(seconds * 1000)
    if connection.vendor == "sqlite":
        with _busy_timeout(milliseconds), transaction.atomic():
            yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")
        yield


@contextmanager
def _busy_timeout(milliseconds: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
