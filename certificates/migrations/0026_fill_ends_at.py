"""Ends of the certificates from before, and the indexes that lists go by."""

from django.db import migrations, models, transaction

from foundation.trigrams import add_index, drop_index

BATCH = 10_000
INDEXES = {
    "certs_ending": ["ends_at", "-created_at", "id"],
    "certs_of_owner": ["owner", "-created_at", "id"],
    "certs_environment": ["environment", "-created_at", "id"],
}
# Tags are found by containment there; SQLite reads them. A small pending list: whoever looks for
# one reads all of it.
TAGS = (
    "certificates_certificate USING gin (tags jsonb_path_ops)"
    " WITH (fastupdate = on, gin_pending_list_limit = 256)"
)


def fill(apps, schema_editor):
    """Have the triggers say it of those from before; what was interrupted goes on."""
    certificates = apps.get_model("certificates", "Certificate").objects
    rows = certificates.filter(current__isnull=False, ends_at__isnull=True).order_by("pk")
    last = None
    while True:
        some = rows if last is None else rows.filter(pk__gt=last)
        keys = list(some.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return
        last = keys[-1]
        with transaction.atomic():
            certificates.filter(pk__gte=keys[0], pk__lte=last, ends_at__isnull=True).update(
                ends_at=None
            )


def index(apps, schema_editor):
    """Make them while others write."""
    options = apps.get_model("certificates", "Certificate")._meta
    if schema_editor.connection.vendor == "postgresql":
        add_index(schema_editor, "certs_tags", TAGS)
    for name, fields in INDEXES.items():
        columns = ", ".join(
            f"{options.get_field(field.removeprefix('-')).column}{' DESC' * field.startswith('-')}"
            for field in fields
        )
        if schema_editor.connection.vendor == "postgresql":
            add_index(schema_editor, name, f"{options.db_table} ({columns})")
        else:
            schema_editor.execute(
                f"CREATE INDEX IF NOT EXISTS {name} ON {options.db_table} ({columns})"
            )


def unindex(apps, schema_editor):
    for name in ("certs_tags", *INDEXES):
        if schema_editor.connection.vendor == "postgresql":
            drop_index(schema_editor, name)
        else:
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False  # certificates are locked by the batch, and indexes made while others write

    dependencies = [("certificates", "0025_ends_at")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            [migrations.RunPython(index, unindex)],
            [
                migrations.AddIndex("certificate", models.Index(fields=fields, name=name))
                for name, fields in INDEXES.items()
            ],
        ),
    ]
