"""SCEP as a device sees it: what is answered, by POST and by GET, and to whom."""

import pytest

from audit.models import Event
from certificates.models import Version
from enrollment.models import Enrollment
from issuers.x509 import certs
from jobs import services as job_services
from jobs.approvals import review
from jobs.models import Job
from tests.enrollment.conftest import DEVICE
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import (
    BAD_REQUEST,
    FAILURE,
    PENDING,
    SUCCESS,
    asks,
    csr_der,
    device,
    new_key,
    replied,
)

pytestmark = pytest.mark.django_db
BY = pytest.mark.parametrize("by", ["post", "get"])


def enrolled(scep, made, **options):
    """Enroll; the device as it is afterwards, with its certificate, and the version."""
    who = device(scep, **options)
    reply = asks(scep, who, made.text)
    assert reply.status == SUCCESS, reply.words
    version = Version.objects.get(pk__in=Enrollment.objects.values("job__version"))
    (own,) = (one for one in reply.certificates if certs.pem(one) == version.pem)
    return Device(who.ra, who.key, own, transaction_id="renewal"), version


# --- What anybody may ask -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/scep/routers", "/scep/routers/", "/scep/routers/pkiclient.exe"])
def test_anybody_learns_what_is_spoken(scep, scep_label, path):
    answer = scep.operation("GetCACaps", path=path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain")
    lines = answer.content.decode().split("\n")
    assert {"AES", "POSTPKIOperation", "Renewal", "SHA-256", "SCEPStandard"} <= {*lines}
    assert not {"DES3", "SHA-1", "GetNextCACert"} & set(lines)


# --- Enrolling ------------------------------------------------------------------------------


@BY
def test_a_device_enrolls_by_its_challenge(scep, scep_label, secret_for, by):
    made = secret_for(scep_label)
    who = device(scep)

    reply = asks(scep, who, made.text, by=by)

    assert reply.status == SUCCESS, reply.words
    version = Version.objects.get(device=f"scep/routers/{DEVICE}")
    assert version.pem in {certs.pem(one) for one in reply.certificates}
    assert scep_label.issuer.certificate in reply.certificates
    event = Event.objects.get(action="job.request", data__device=version.device)
    assert (event.door, event.api_key) == ("scep", made.credential.prefix)
    assert Event.objects.filter(action="enrollment.collect").count() == 1


@BY
def test_a_wrong_challenge_is_a_failure_and_no_http_error(scep, scep_label, secret_for, by):
    made = secret_for(scep_label)

    reply = asks(scep, device(scep), f"{made.credential.prefix}-{'a' * 32}", by=by)

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert reply.words
    assert not Enrollment.objects.exists()
    assert Event.objects.filter(action__endswith=".refuse").count() == 1


@BY
def test_what_waits_is_pending_and_collected_by_poll_after_bob_approved(
    scep, slow_scep_label, secret_for, bob, by
):
    made, who = secret_for(slow_scep_label), device(scep)
    assert asks(scep, who, made.text, by=by).status == PENDING
    assert asks(scep, who, made.text, by=by).status == PENDING  # the same is the same request
    job = Enrollment.objects.get().job
    poll = who.poll(slow_scep_label.issuer.certificate, subject=DEVICE)
    assert replied(who, scep.send(poll, by=by)).status == PENDING

    job_services.approve_job(job_id=job.pk, actor=bob, digest=review(job).digest)
    reply = replied(who, scep.send(poll, by=by))

    assert reply.status == SUCCESS
    assert Job.objects.filter(device__startswith="scep/").count() == 1


@BY
def test_a_device_renews_with_the_certificate_that_it_has(scep, scep_label, secret_for, by):
    who, version = enrolled(scep, secret_for(scep_label))

    request = csr_der(new_key())
    reply = replied(who, scep.send(who.message(17, request), by=by))

    assert reply.status == SUCCESS, reply.words
    version.refresh_from_db()
    assert version.superseded_at is not None
