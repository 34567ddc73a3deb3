"""Reading many rows as they were at one moment, without making anybody wait."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """Have every query of the block see the database as it is at the first of them.

    Nothing can be written in it, and nobody waits for it: on PostgreSQL a read-only transaction
    that is REPEATABLE READ, on SQLite a deferred one, which a WAL lets read while others write.
    Inside of somebody's transaction each query sees what that one sees.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Django's own block would take the write lock: transaction_mode is IMMEDIATE.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
