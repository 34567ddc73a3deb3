"""RA certificates of SCEP labels: whose they are, how they are renewed, and when there is none."""

from datetime import timedelta

import pytest
import time_machine
from cryptography.hazmat.primitives import hashes
from django.utils import timezone

import certificates.services
import deployments.services
import issuers.services
from audit.models import Event
from certificates.models import Alert, Certificate, CertificateStatus, Version
from deployments.models import Target
from enrollment import services
from enrollment.models import Label
from foundation.errors import ConnectorError, Invalid
from issuers.models import Profile
from issuers.services.profiles import ProfileReserved, ra_profile
from issuers.x509 import certs
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from tests.enrollment.conftest import DEVICE
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import SUCCESS, asks, device, new_key
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


def tend(system):
    """Do what the worker does every minute: the sweep, and the jobs that it asked for."""
    asked = services.tend_ra_certificates(actor=system)
    runner.run_pending()
    return asked


def reread(label):
    """Return the label as a request reads it."""
    return Label.objects.select_related("ra_certificate__current").get(pk=label.pk)


def test_a_label_has_its_ra_certificate_as_soon_as_it_is_made(scep_label, carol):
    certificate = scep_label.ra_certificate
    version = certificate.current

    job = Job.objects.get(certificate=certificate)
    assert (job.requested_by, job.status) == (carol, "Completed")
    assert (certificate.owner, certificate.issuer) == (scep_label.owner, scep_label.issuer)
    assert (version.subject, version.key_algorithm) == ("CN=SCEP RA routers", "rsa")
    assert version.key_size >= 2048
    extensions = certs.load(version.pem).extensions
    usage = next(one.value for one in extensions if one.oid.dotted_string == "2.5.29.15")
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (
        True,
        True,
        False,
    )
    assert Event.objects.filter(action="certificate.issue", data__job=str(job.pk)).exists()


def test_an_est_label_has_none(label):
    assert label.ra_certificate is None


def test_a_label_of_a_ca_that_may_sign_none_is_not_made(make_label, free_device_profile, local_ca):
    local_ca.enabled = False
    local_ca.save()

    with pytest.raises(Invalid):
        make_label("routers", free_device_profile, protocol="scep", issuer=local_ca)
    assert not Label.objects.exists()
    assert not Certificate.objects.filter(profile__is_ra=True).exists()


def test_nobody_else_asks_for_a_certificate_under_its_profile(scep_label, alice, carol, owner):
    profile = Profile.objects.get(is_ra=True)
    key = new_key()
    csr = make_csr(key=key, common_name="SCEP RA routers", sans=[])

    with pytest.raises(Invalid):
        job_services.request_issuance(
            actor=alice, owner=owner, issuer=scep_label.issuer, profile=profile, csr_pem=csr
        )
    with pytest.raises(Invalid):
        job_services.request_renewal(
            actor=alice, certificate_id=scep_label.ra_certificate_id, csr_pem=csr
        )
    with pytest.raises(Invalid):
        services.update_label(actor=carol, label_id=scep_label.pk, changes={"profile": profile})
    with pytest.raises(ProfileReserved):
        issuers.services.update_profile(
            actor=carol, profile_id=profile.pk, changes={"max_lifetime": timedelta(days=1)}
        )
    assert Job.objects.count() == 1


def test_the_slug_of_its_profile_is_kept_free(carol):
    with pytest.raises(ProfileReserved):
        issuers.services.create_profile(actor=carol, rules={"slug": "scep-ra", "name": "x"})
    assert ra_profile() == ra_profile()


def test_its_key_is_carried_to_no_target(scep_label, alice):
    target = Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={"at": "web-1"})

    with pytest.raises(deployments.services.NotForTargets):
        job_services.request_deployment(
            actor=alice,
            certificate_id=scep_label.ra_certificate_id,
            target=target,
        )
    assert Job.objects.count() == 1


def test_the_worker_renews_it_in_time_with_a_new_key_and_both_open_what_comes(
    scep, scep_label, secret_for, system
):
    old = scep_label.ra_certificate.current
    assert tend(system) == 0
    early = device(scep)
    with time_machine.travel(old.not_after - timedelta(days=29), tick=False):
        assert tend(system) == 1
        assert tend(system) == 0
        new = reread(scep_label).ra_certificate.current
        assert new.key_fingerprint != old.key_fingerprint
        assert certs.pem(scep.ra_of()) == new.pem
        early = Device(early.ra, early.key, early.certificate)
        assert asks(scep, early, secret_for(scep_label).text).status == SUCCESS
        other = "cam-3.demo.internal"
        made = secret_for(scep_label, other)
        assert asks(scep, device(scep, name=other), made.text, name=other).status == SUCCESS
    job = Job.objects.get(version=new)
    assert (job.requested_by, job.decided_by) == (system, None)


def test_what_is_encrypted_to_one_that_ended_is_not_opened(scep, scep_label, secret_for, system):
    old, early = scep_label.ra_certificate.current, device(scep)
    with time_machine.travel(old.not_after - timedelta(days=29), tick=False):
        tend(system)
    with time_machine.travel(old.not_after + timedelta(seconds=1), tick=False):
        answer = scep.post_message(early.pkcs_req(challenge="x"))

    newest = reread(scep_label).ra_certificate.current
    early.ra = certs.load(newest.pem)
    reply = early.read(answer.content)
    assert (reply.status, reply.fail_info) == (2, 1)


def test_a_ca_that_ends_with_it_is_asked_for_no_other(scep_label, system):
    version = scep_label.ra_certificate.current
    ends = scep_label.issuer.described.not_after
    version.not_after = ends
    version.not_before = ends - timedelta(days=20)
    version.save()
    with time_machine.travel(ends - timedelta(days=1), tick=False):
        assert services.tend_ra_certificates(actor=system) == 0


@pytest.mark.parametrize("operation", ["GetCACert", "PKIOperation"])
def test_without_a_valid_one_the_door_says_503_in_words_and_somebody_is_called(
    scep, scep_label, system, carol, operation
):
    who = device(scep)
    version = scep_label.ra_certificate.current
    certificates.services.revoke(version_id=version.pk, actor=carol, reason="keyCompromise")

    if operation == "GetCACert":
        answer = scep.operation(operation)
    else:
        answer = scep.post_message(who.pkcs_req(challenge="x"))

    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"RA certificate" in answer.content
    assert int(answer.headers["Retry-After"]) > 0
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        assert services.tend_ra_certificates(actor=system) == 1
        alert = Alert.objects.open().get(kind=Alert.Kind.RA_NOT_VALID)
        assert alert.certificate_id == scep_label.ra_certificate_id
        runner.run_pending()
        assert tend(system) == 0
        assert scep.operation("GetCACert").status_code == 200
        assert not Alert.objects.open().filter(kind=Alert.Kind.RA_NOT_VALID).exists()


def test_an_archived_one_is_replaced(scep, scep_label, system):
    certificate = scep_label.ra_certificate
    Certificate.objects.filter(pk=certificate.pk).update(status=CertificateStatus.ARCHIVED)

    assert tend(system) == 1
    assert reread(scep_label).ra_certificate_id != certificate.pk
    assert scep.operation("GetCACert").status_code == 200


def test_another_issuer_of_the_label_signs_another(
    scep, scep_label, carol, root_ca, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        services.update_label(actor=carol, label_id=scep_label.pk, changes={"issuer": root_ca})

    ra = certs.load(reread(scep_label).ra_certificate.current.pem)
    assert ra.issuer == root_ca.certificate.subject
    assert scep.ra_of() == ra


def test_what_failed_is_asked_for_again_after_a_while(scep_label, system, make_label):
    certificate = scep_label.ra_certificate
    Job.objects.filter(certificate=certificate).update(
        version=None, status="Failed", given_up=True, completed_at=timezone.now()
    )
    Certificate.objects.filter(pk=certificate.pk).update(current=None, status="Failed")

    assert services.tend_ra_certificates(actor=system) == 0
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert services.tend_ra_certificates(actor=system) == 1


def test_a_blocked_label_is_left_alone(scep_label, system, carol):
    services.block_label(actor=carol, label_id=scep_label.pk)
    Certificate.objects.update(status=CertificateStatus.ARCHIVED)

    assert services.tend_ra_certificates(actor=system) == 0


def test_the_device_s_own_name_is_none_of_the_ra_s(scep_label):
    assert DEVICE not in scep_label.ra_certificate.name


def test_a_ca_signs_nothing_but_signed_attributes_for_messages(local_ca):
    certificate = b"\x30\x03\x02\x01\x00"

    with pytest.raises(ConnectorError):
        issuers.services.sign_attributes(local_ca, certificate, hashes.SHA256())
    assert issuers.services.sign_attributes(local_ca, b"\x31\x00", hashes.SHA256())


def test_a_challenge_is_not_shown_in_the_inventory(scep, scep_label, secret_for, browse, victor):
    made = secret_for(scep_label)
    assert asks(scep, device(scep), made.text).status == SUCCESS
    version = Version.objects.get(device=f"scep/routers/{DEVICE}")
    other = scep_label.ra_certificate.current
    pages = [
        browse(victor).get(f"/admin/certificates/version/{one.pk}/change/").content.decode()
        for one in (version, other)
    ]

    assert ["BEGIN CERTIFICATE REQUEST" in page for page in pages] == [False, True]
