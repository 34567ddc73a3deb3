"""Seal the requests that hold a challenge and are still needed; keep none of those that are over.

Versions too, and here, for jobs know certificates and not the reverse.
"""

from django.db import migrations

from foundation.sealed import Context, SealedField
from issuers.x509.csr import has_challenge

OVER = ("Completed", "Cancelled")
BATCH = 500
REQUEST = Context("request:{pk}")


def holding_one(rows):
    """Return the keys of those of `rows` whose request holds a challenge."""
    kept = rows.exclude(csr_pem="").order_by("pk").values_list("pk", "csr_pem")
    return [pk for pk, csr_pem in kept.iterator(chunk_size=BATCH) if has_challenge(csr_pem)]


def drop(rows, keys):
    for begin in range(0, len(keys), BATCH):
        rows.filter(pk__in=keys[begin : begin + BATCH]).update(csr_pem="")


def seal(apps, schema_editor):
    versions = apps.get_model("certificates", "Version").objects.all()
    drop(versions, holding_one(versions))
    jobs = apps.get_model("jobs", "Job").objects.all()
    over = jobs.filter(status__in=OVER)
    drop(over, holding_one(over))
    for pk in holding_one(jobs.exclude(status__in=OVER)):
        job = jobs.only("csr_pem").get(pk=pk)
        sealed = REQUEST.of(job).seal(job.csr_pem.encode())
        # The column takes bytes here, as the field gives them to the database.
        token = SealedField(REQUEST).get_prep_value(sealed)
        jobs.filter(pk=pk).update(sealed_csr=token, csr_pem="")


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0012_sealed_csr"),
        ("certificates", "0015_alert_of_ra"),
    ]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop, elidable=True)]
