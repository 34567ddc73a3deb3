"""Keep the key of the CSR of jobs that are not over: what is asked for later is compared with it."""

from django.db import migrations

from foundation.errors import Invalid
from issuers.x509 import certs, csr

GOES_ON = ("Pending", "AwaitingCSR", "AwaitingApproval", "Running", "Failed")


def fill(apps, schema_editor):
    jobs = apps.get_model("jobs", "Job").objects
    rows = jobs.filter(status__in=GOES_ON, kind__in=("Issuance", "Renewal")).exclude(csr_pem="")
    for pk, csr_pem in list(rows.values_list("pk", "csr_pem")):
        try:
            key = certs.key_fingerprint(csr.parse(csr_pem).public_key())
        except Invalid:
            continue  # it was accepted by rules that were looser; it is only not compared
        jobs.filter(pk=pk).update(key_fingerprint=key)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0008_key_of_the_csr")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
