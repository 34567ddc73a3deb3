"""Trigram indexes on PostgreSQL, for migrations: parts of texts are found without reading all."""

from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython

NO_TRIGRAMS = (
    "Search needs PostgreSQL's extension pg_trgm, and this role may not add it to the database"
    " ({error}). Have an administrator of the database run CREATE EXTENSION pg_trgm; in it (the"
    " package with PostgreSQL's contrib modules has it; since PostgreSQL 13 whoever may CREATE in"
    " the database may add it), and migrate again."
)


class NoTrigrams(RuntimeError):
    """The extension is not there, and cannot be brought; the message says what to do."""


def add_extension(editor: BaseDatabaseSchemaEditor) -> None:
    """Have pg_trgm in the database; raises NoTrigrams. It stays when the migration goes back."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone() is not None:
            return
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            first = str(error).partition("\n")[0]
            raise NoTrigrams(NO_TRIGRAMS.format(error=first)) from error


def add_index(editor: BaseDatabaseSchemaEditor, name: str, on: str) -> None:
    """Make the index `name` on `on` (table and what is indexed), while others write.

    Only in a migration that is not atomic. What a migration that was ended midway left behind is
    no index, so it is made anew.
    """
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relname = %s AND pg_table_is_visible(pg_class.oid)",
            [name],
        )
        row = cursor.fetchone()
        if row is not None and not row[0]:
            cursor.execute(f'DROP INDEX CONCURRENTLY "{name}"')
        if row is None or not row[0]:
            cursor.execute(f'CREATE INDEX CONCURRENTLY "{name}" ON {on}')


def drop_index(editor: BaseDatabaseSchemaEditor, name: str) -> None:
    """Take the index away again."""
    with editor.connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


def parts_of(table: str, *columns: str) -> Iterator[tuple[str, str]]:
    """Yield names and bodies of indexes that `icontains` on these columns goes by.

    The bodies are as Django writes that look-up; any other spelling would not be found by it.
    """
    for column in columns:
        # A small pending list: whoever searches reads all of it.
        body = f'"{table}" USING gin (UPPER("{column}"::text) gin_trgm_ops)'
        yield f"{table}_{column}_parts", f"{body} WITH (gin_pending_list_limit = 256)"


def indexed(table: str, *columns: str) -> RunPython:
    """Return the operation that makes the indexes of `parts_of`; SQLite has none of them."""
    parts = dict(parts_of(table, *columns))

    def forwards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            add_extension(schema_editor)
            for name, on in parts.items():
                add_index(schema_editor, name, on)

    def backwards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            for name in parts:
                drop_index(schema_editor, name)

    return RunPython(forwards, backwards)
