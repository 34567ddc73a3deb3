"""Have PostgreSQL store pieces of CRLs as they are: half of an entry is a random serial."""

from typing import Any

from django.db import migrations


def _store(schema_editor: Any, how: str) -> None:
    # To press them is a third of the time of a build, and is undone each time one is read.
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE certificates_piece ALTER COLUMN data SET STORAGE {how}")


def as_they_are(apps: Any, schema_editor: Any) -> None:
    """Of what is written from now on."""
    _store(schema_editor, "EXTERNAL")


def pressed(apps: Any, schema_editor: Any) -> None:
    """As PostgreSQL does by itself."""
    _store(schema_editor, "EXTENDED")


class Migration(migrations.Migration):
    dependencies = [("certificates", "0021_crls_in_pieces")]

    operations = [migrations.RunPython(as_they_are, pressed)]
