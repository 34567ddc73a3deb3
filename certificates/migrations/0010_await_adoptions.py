"""Have what CAs signed adopted, once, where a take-over before this release was ended half way.

Nothing says which did not come to its end, so every issuer with a certificate is asked; the sweep
does that in batches.
"""

from django.db import migrations


def fill(apps, schema_editor):
    issuers = apps.get_model("issuers", "Issuer").objects.exclude(certificate_pem="")
    adoption = apps.get_model("certificates", "Adoption")
    adoption.objects.bulk_create(
        [adoption(issuer_id=pk) for pk in issuers.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("certificates", "0009_adoption_is_a_sweep"),
        ("issuers", "0001_initial"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
