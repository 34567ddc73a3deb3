"""Reading a column of bytes from a million rows: joined by the database, as few large values.

What a driver does for each row is several times dearer than the row itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from foundation.statements import server_bound

_BINARY = 1  # of PostgreSQL's formats of what it answers: bytes come as they are, not in digits


@dataclass(slots=True)
class Run:
    """Some rows that follow each other: their values joined, and how many they are."""

    value: bytes
    count: int
    has_empty: bool  # whether one of the values has no octets
    parts: dict[int, tuple[bytes, int]] = field(default_factory=dict)  # the same, by part


def joined(sources: Sequence[QuerySet[Any, Any]], *, size: int, by_part: bool) -> Iterator[Run]:
    """Go through the rows of all `sources` by their key, about `size` of them at a time.

    Each is `values_list(bytes, part, key)`; its order is not looked at. With `by_part` each run
    also has its rows' values joined by part, without those of no part. The first run is read at
    once.

    On PostgreSQL each run is a statement of its own, which begins after the last key of the one
    before: inside a `snapshot` all see one moment. Elsewhere a row whose key is always the same is
    on one run exactly, whatever happens between them. Rows of one key are never parted.
    """
    if connection.vendor == "postgresql":
        runs = _of_postgresql(sources, size, by_part=by_part)
    else:
        runs = _of_others(sources, size, by_part=by_part)
    first = next(runs, None)
    return iter(()) if first is None else _after(first, runs)


def _after(first: Run, others: Iterator[Run]) -> Iterator[Run]:
    yield first
    yield from others


# To a plain aggregate the values come as the subquery sorts them (PostgreSQL §9.21): to have them
# sorted once more costs twice as much as all else. By part they are: grouping mixes them.
_RUN = """
    SELECT value, part, key FROM ({rows}) AS listed(value, part, key) {after}
    ORDER BY key FETCH FIRST {size} ROWS WITH TIES
"""
_ALL = " UNION ALL "
_WHOLE = """
    SELECT NULL, true, string_agg(value, ''::bytea), count(*), bool_or(value = ''), max(key)
    FROM ({run}) AS run
"""
_BY_PART = """
    SELECT part, GROUPING(part) = 1, string_agg(value, ''::bytea ORDER BY key), count(*),
        bool_or(value = ''), max(key)
    FROM ({run}) AS run GROUP BY GROUPING SETS ((), (part))
"""


def _of_postgresql(
    sources: Sequence[QuerySet[Any, Any]], size: int, *, by_part: bool
) -> Iterator[Run]:
    asked = [source.order_by().query.sql_with_params() for source in sources]
    template = _BY_PART if by_part else _WHOLE
    last: list[str] = []
    while True:
        after = "WHERE key > %s" if last else ""
        run_of = partial(_RUN.format, size=int(size))
        # Each by itself: of a union PostgreSQL would read and sort all that follows, in every run.
        runs = [run_of(rows=sql, after=after) for sql, _ in asked]
        one = (
            runs[0]
            if len(runs) == 1
            else run_of(rows=_ALL.join(f"({run})" for run in runs), after="")
        )
        statement = template.format(run=one)
        given = [value for _, parameters in asked for value in (*parameters, *last)]
        with server_bound(connection) as cursor:
            cursor.cursor.format = _BINARY
            cursor.execute(statement, given)
            answer = cursor.fetchall()
        run = Run(b"", 0, has_empty=False)
        for part, is_total, value, count, has_empty, key in answer:
            if is_total:
                run.value, run.count, run.has_empty, last = value or b"", count, has_empty, [key]
            elif part is not None:
                run.parts[part] = value, count
        if run.count:
            yield run
        if run.count < size:
            return


def _of_others(sources: Sequence[QuerySet[Any, Any]], size: int, *, by_part: bool) -> Iterator[Run]:
    # One statement, and only the columns that are needed: SQLite makes each value when it is read.
    asked = [source.order_by().query.sql_with_params() for source in sources]
    rows = _ALL.join(sql for sql, _ in asked)
    columns = "value, part" if by_part else "value"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH listed(value, part, key) AS ({rows}) SELECT {columns} FROM listed ORDER BY key",  # noqa: S608 - Django's SQL
            [value for _, parameters in asked for value in parameters],
        )
        while some := cursor.fetchmany(size):
            values = [row[0] for row in some]
            run = Run(b"".join(values), len(values), has_empty=not all(values))
            if by_part:
                run.parts = _by_part(some)
            yield run


def _by_part(rows: list[tuple[bytes, int | None]]) -> dict[int, tuple[bytes, int]]:
    parted: dict[int, list[bytes]] = {}
    for value, part in rows:
        if part is not None:
            parted.setdefault(part, []).append(value)
    return {part: (b"".join(values), len(values)) for part, values in parted.items()}
