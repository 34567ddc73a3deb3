"""Indexes for search on PostgreSQL: parts of what people look for deployments by (decision 0070)."""

from django.db import migrations

from foundation.trigrams import add_extension, add_index, drop_index, parts_of

PARTS = dict(parts_of("deployments_target", "name", "endpoint_host", "server_name"))


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        add_extension(schema_editor)
        for name, on in PARTS.items():
            add_index(schema_editor, name, on)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in PARTS:
            drop_index(schema_editor, name)


class Migration(migrations.Migration):
    atomic = False  # indexes are made while others write

    dependencies = [("deployments", "0003_unproven")]

    operations = [migrations.RunPython(forwards, backwards)]
