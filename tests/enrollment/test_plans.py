"""Every question of the enrolling path is answered by an index, however many rows there are.

PostgreSQL is asked how it would answer each, with sequential scans made dear: what it still reads
as it lies, or by an index without a condition on it, nothing can find.
"""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import certificates.services
from certificates.models import Revocation
from enrollment import services
from enrollment.models import Device, Enrollment
from jobs import services as job_services
from tests.enrollment.conftest import DEVICE, OTHER, ask_by, ask_with
from tests.factories import CertificateFactory, JobFactory, VersionFactory
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db

# What grows with the number of certificates; all else is as small as an installation has labels.
GROWS = {
    "audit_event",
    "certificates_certificate",
    "certificates_certificatename",
    "certificates_revocation",
    "certificates_version",
    "enrollment_credential",
    "enrollment_device",
    "enrollment_enrollment",
    "jobs_job",
}


def nodes(plan):
    """Yield each step of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


def read_whole(sql):
    """Return the growing tables that PostgreSQL reads from end to end for this."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (answer,) = cursor.fetchone()
        transaction.set_rollback(True)
    plans = answer if isinstance(answer, list) else json.loads(answer)
    return {
        step["Relation Name"]
        for step in nodes(plans[0]["Plan"])
        if step.get("Relation Name") in GROWS
        and step["Node Type"] not in {"Bitmap Heap Scan", "ModifyTable"}
        and "Index Cond" not in step
    }


def test_no_question_of_the_door_reads_a_table_that_grows(
    make_label, free_device_profile, slow_label, secret_for, bob, owner
):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite plans by other rules")
    both = ["secret", "label-secret"]
    label = make_label("plan", free_device_profile, accepts=both, trust_shared=True)
    made, lasting = secret_for(label), secret_for(label, "gate", names=[f"dns:{OTHER}"])
    shared = secret_for(label, "", names=[], one_time=False)
    waiting = secret_for(slow_label, "slow", names=["dns:slow.demo.internal"])

    # So many that to read all of an index is dearer than to look in the right one.
    now = timezone.now()
    for number in range(300):
        certificate = CertificateFactory(name=f"old-{number}.demo.internal", owner=owner)
        version = VersionFactory(certificate=certificate)
        Revocation.objects.create(
            version=version, reason="superseded", revoked_by=bob, revoked_at=now
        )
        Enrollment.objects.create(
            label=label,
            device=Device.objects.create(label=label, name=f"old-{number}"),
            certificate=certificate,
            job=JobFactory(certificate=certificate, requested_by=bob, status="Completed"),
            key_fingerprint=f"{number:064x}",
            names_digest=f"{number:064x}",
            transaction=f"old-{number}",
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as asked:
        csr = make_csr(DEVICE)
        first = ask_by(label, made, csr).version
        ask_by(label, made, csr)
        ask_by(label, lasting, make_csr(OTHER))
        ask_by(label, shared, make_csr("free.demo.internal"))
        ask_with(label, first, make_csr(DEVICE))
        held = ask_by(slow_label, waiting, make_csr("slow.demo.internal"))
        job_services.request_renewal(
            actor=bob, certificate_id=first.certificate_id, csr_pem=make_csr(DEVICE)
        )
        services.block_device(actor=bob, device_id=held.enrollment.device_id)
        list(services.holds(Enrollment.objects.filter(device=held.enrollment.device_id)))
        certificates.services.revoke(version_id=first.pk, actor=bob, reason="superseded")

    slow = {}
    for sql in {query["sql"] for query in asked.captured_queries}:
        if sql.startswith(("SELECT", "UPDATE")) and (whole := read_whole(sql)):
            slow[sql[:3000]] = whole
    assert not slow, json.dumps({sql: sorted(whole) for sql, whole in slow.items()}, indent=1)
