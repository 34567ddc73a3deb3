"""Keep the domain above each name that certificates are for, of those from before too."""

from django.db import migrations

from certificates.models.names import parent_of

BATCH = 1000


def fill(apps, schema_editor):
    names = apps.get_model("certificates", "CertificateName").objects
    rows = []
    for row in names.only("pk", "value").order_by("pk").iterator(chunk_size=BATCH):
        row.parent = parent_of(row.value)
        if row.parent:
            rows.append(row)
        if len(rows) >= BATCH:
            names.bulk_update(rows, ["parent"])
            rows = []
    names.bulk_update(rows, ["parent"])


class Migration(migrations.Migration):
    dependencies = [("certificates", "0025_names_by_parent")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
