"""Search and lists among many certificates: fills the database, then measures both."""

import time
from collections.abc import Iterator

from django.db import connection

from benchmarks import fill, lists, searching
from tools.served import Served


def measure(  # noqa: PLR0913 - what is asked for
    installation: Served,
    *,
    certificates: int,
    rounds: int,
    search: bool,
    lists_: bool,
    only: str = "",
) -> Iterator[str]:
    """Fill the database with so many certificates and measure what is asked for; give lines."""
    began = time.perf_counter()
    fill.fill(certificates)
    took = time.perf_counter() - began
    yield f"filled with {certificates:,} certificates in {took:.0f} s{_size()}"
    if search:
        yield from searching.measure_search(installation.port, rounds=rounds)
    if lists_:
        yield from lists.measure_lists(
            installation.port, count=certificates, rounds=rounds, only=only
        )


def _size() -> str:
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return f", {cursor.fetchone()[0] / 2**30:.1f} GiB"
