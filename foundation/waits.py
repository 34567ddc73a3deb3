"""Transactions that would rather give up than wait: for whoever must be answered at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

STEPS = 10_000  # of SQLite's machine, between two looks at the clock


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


class TookTooLong(Exception):
    """What was asked was not answered in the time that it was given."""


@contextmanager
def timed(seconds: float) -> Iterator[None]:
    """Have each question inside answered within `seconds`, or ended: raises TookTooLong.

    For what is only read. On PostgreSQL it is a transaction of its own, or a savepoint of the one
    that is open; on SQLite the time is that of all questions together, and no lock is taken.
    """
    try:
        with _at_most(seconds):
            yield
    except OperationalError as error:
        cause = error.__cause__
        # SQLSTATE 57014 is query_canceled.
        if getattr(cause, "sqlstate", "") == "57014" or str(cause) == "interrupted":
            raise TookTooLong from error
        raise


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    if connection.vendor != "sqlite":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            before = cursor.fetchone()[0]
            cursor.execute(f"SET LOCAL statement_timeout = {round(seconds * 1000)}")
            yield
            # Also for what follows in a transaction that was open before.
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
        return
    connection.ensure_connection()
    ends = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > ends, STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
