"""Two who change the same row at once: the second waits, and then sees what the first did."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from weakref import WeakKeyDictionary

from django.db import connection, transaction

PATIENCE = 20.0  # seconds until somebody waits, or somebody's work is done
READS = ("SELECT", "PRAGMA", "EXPLAIN")


def meanwhile(change, call):
    """Run `call` in a thread while `change` is made but not committed yet; give its result."""

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            change()
            other = beside(pool, call)
            until_blocked(other)
        return other.result(timeout=PATIENCE)


def aside(call):
    """Run `call` in a thread, on a connection of its own, and wait for its result."""
    pool = ThreadPoolExecutor(1)
    try:
        return beside(pool, call).result(timeout=PATIENCE)
    finally:
        # Not waiting for the thread: it may wait for a lock that our caller holds.
        pool.shutdown(wait=False)


def together(*calls):
    """Run them at once, each in a thread of its own; give results or exceptions in order."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [_outcome(future) for future in [pool.submit(closing, call) for call in calls]]


def beside(pool, call):
    """Start `call` in a thread of the pool, on a connection of its own; give its future."""
    writes = Event()
    future = pool.submit(closing, call, writes)
    _writes[future] = writes
    return future


def closing(call, writes=None):
    """Call it, and close the connection that the thread opened for it."""

    def watch(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(READS):
            writes.set()
        return execute(sql, params, many, context)

    try:
        if writes is None:
            return call()
        with connection.execute_wrapper(watch):
            return call()
    finally:
        connection.close()


def until_blocked(other):
    """Wait until the session of `other`, a future of `beside`, waits for one of our locks.

    PostgreSQL is asked who waits for whom. SQLite has one lock, which whoever writes takes when
    its transaction begins: while ours is open, a thread that is about to write waits.
    Fails where the other ends without having waited, or does not come to it in time.
    """
    deadline = time.monotonic() + PATIENCE
    while not _waits(other):
        assert not other.done(), f"it waited for nobody: {other.exception() or other.result()!r}"
        assert time.monotonic() < deadline, "it neither waits nor ends"
        time.sleep(0.005)
    assert not other.done()


def _outcome(future):
    try:
        return future.result(timeout=60)
    except Exception as error:  # noqa: BLE001 - the test judges it
        return error


def _waits(other):
    if connection.vendor != "postgresql":
        return _writes[other].is_set()
    with connection.cursor() as cursor:
        # pg_locks is read anew each time, where pg_stat_activity stays as a transaction saw it.
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return cursor.fetchone()[0]


_writes: WeakKeyDictionary[Future, Event] = (
    WeakKeyDictionary()
)  # of a future, whether its thread has come to write
