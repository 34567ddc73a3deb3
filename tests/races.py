"""Two who change the same row at once: the second waits, and then sees what the first did."""

import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction


def meanwhile(change, call):
    """Run `call` in a thread while `change` is made but not committed yet; give its result."""

    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            change()
            done = other.submit(closing, call)
            time.sleep(0.5)
            assert not done.done()
        return done.result(timeout=20)


def aside(call):
    """Run `call` in a thread, on a connection of its own, and wait for its result."""
    other = ThreadPoolExecutor(1)
    try:
        return other.submit(closing, call).result(timeout=20)
    finally:
        # Not waiting for the thread: it may wait for a lock that our caller holds.
        other.shutdown(wait=False)


def closing(call):
    """Call it, and close the connection that the thread opened for it."""
    try:
        return call()
    finally:
        connection.close()
