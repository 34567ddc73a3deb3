"""Rows by the hundred thousand, put into the database past the ORM, which would take an hour."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models

# Indexes that no constraint stands on: what is filled faster without them.
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename = ANY(%s) AND schemaname = current_schema()
  AND NOT EXISTS (SELECT 1 FROM pg_index WHERE indexrelid = indexname::regclass AND indisunique)
"""


def insert(like: models.Model, rows: Iterable[dict[str, Any]]) -> None:
    """Insert a row for each of `rows`, with the columns that it does not say taken from `like`.

    Texts, numbers and octets of `rows` go to the database as they are, JSON as text. By COPY where
    there is one.
    """
    every = like._meta.concrete_fields  # noqa: SLF001 - Django's public name for it
    fields = [field for field in every if not isinstance(field, models.AutoField)]
    constant = [field.get_db_prep_save(field.pre_save(like, True), connection) for field in fields]
    places = {field.name: at for at, field in enumerate(fields)}
    table = connection.ops.quote_name(like._meta.db_table)  # noqa: SLF001
    columns = ", ".join(connection.ops.quote_name(field.column or "") for field in fields)

    def values() -> Iterator[list[Any]]:
        for row in rows:
            made = list(constant)
            for name, value in row.items():
                at = places[name]
                is_plain = isinstance(value, str | int | bytes)
                made[at] = value if is_plain else fields[at].get_db_prep_save(value, connection)
            yield made

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for made in values():
                    copy.write_row(made)
        else:
            marks = ", ".join(["?"] * len(fields))
            raw = cursor.connection.cursor()
            raw.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values())  # noqa: S608


def unchecked() -> None:
    """Have the rest of the transaction insert without looking up what rows refer to."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")


@contextmanager
def without_indexes(*models_: type[models.Model]) -> Iterator[None]:
    """Take the tables' plain indexes away, and make them again afterwards, as they were.

    On SQLite they stay. Afterwards the tables are vacuumed, as they would be by themselves.
    """
    if connection.vendor != "postgresql":
        yield
        return
    tables = [model._meta.db_table for model in models_]  # noqa: SLF001
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES, [tables])
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in indexes:
            cursor.execute(definition)
        for table in tables:
            cursor.execute(f'VACUUM (ANALYZE) "{table}"')
        cursor.execute("RESET maintenance_work_mem")
