"""Indexes for what whoever decides is told: neighbours of a name, and what is usual of a profile."""

from django.db import migrations, models

from foundation.trigrams import add_index, drop_index

# The expressions are those of certificates.search.Parent, letter by letter.
POSTGRESQL = (
    "certificates_certificatename ((substr(value, strpos(value, '.') + 1) COLLATE \"C\"))"
)
SQLITE = (
    "CREATE INDEX certs_parent_name ON certificates_certificatename"
    " (substr(value, instr(value, '.') + 1))"
)
NEWEST = models.Index(fields=["profile", "-created_at", "id"], name="certs_profile_newest")


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        add_index(schema_editor, "certs_parent_name", POSTGRESQL)
        add_index(
            schema_editor,
            "certs_profile_newest",
            "certificates_certificate (profile_id, created_at DESC, id)",
        )
        return
    schema_editor.execute(SQLITE)
    schema_editor.add_index(apps.get_model("certificates", "certificate"), NEWEST)


def backwards(apps, schema_editor):
    names = ("certs_parent_name", "certs_profile_newest")
    for name in names:
        if schema_editor.connection.vendor == "postgresql":
            drop_index(schema_editor, name)
        else:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False  # indexes are made while others write

    dependencies = [("certificates", "0026_fill_ends_at")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(forwards, backwards)],
            [migrations.AddIndex("certificate", NEWEST)],
        )
    ]
