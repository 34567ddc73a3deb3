"""Tell of versions that were made before who brought their keys: from their jobs, or the import.

Here and not with the certificates, for jobs know them and not the reverse. Where neither is known
both stay empty, and then everybody counts who was a principal at the time.
"""

from uuid import UUID

from django.db import migrations
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce


def fill(apps, schema_editor):
    versions = apps.get_model("certificates", "Version").objects.all()
    jobs = apps.get_model("jobs", "Job").objects.filter(pk=OuterRef("job_id"))
    versions.filter(job_id__isnull=False).update(
        requested_by=Subquery(jobs.values("requested_by")[:1]),
        csr_by=Coalesce(
            Subquery(jobs.values("csr_by")[:1]), Subquery(jobs.values("requested_by")[:1])
        ),
    )
    imports = apps.get_model("audit", "Event").objects.filter(
        action="certificate.import", actor__isnull=False
    )
    # One by one: the trail keeps keys as text, which the databases write differently.
    for certificate, importer in imports.values_list("subject_id", "actor"):
        versions.filter(certificate=UUID(certificate), number=1, job_id__isnull=True).update(
            requested_by=importer, csr_by=importer
        )
    # Whoever had the same key certified again: it is still whose it was when it first came.
    first = versions.filter(
        certificate=OuterRef("certificate"), key_fingerprint=OuterRef("key_fingerprint")
    ).order_by("number")
    versions.filter(number__gt=1).update(
        requested_by=Subquery(first.values("requested_by")[:1]),
        csr_by=Subquery(first.values("csr_by")[:1]),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0006_who_brought_the_key"),
        ("certificates", "0007_who_brought_the_key"),
        ("audit", "0004_certificate_owner_format"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
