"""Keep the names that certificates are for as they are compared, of those from before too."""

from django.db import migrations

from certificates.models.names import compared

BATCH = 1000


def fill(apps, schema_editor):
    name = apps.get_model("certificates", "CertificateName")
    certificates = apps.get_model("certificates", "Certificate").objects
    rows = []
    for pk, common_name, sans in certificates.values_list("pk", "common_name", "sans").iterator(
        chunk_size=BATCH
    ):
        rows += [name(certificate_id=pk, value=value) for value in compared(common_name, sans)]
        if len(rows) >= BATCH:
            name.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
            rows = []
    name.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("certificates", "0011_compared_names")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
