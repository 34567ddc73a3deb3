"""Where enrollment meets what else there is: what is switched off, kept, handed over, done twice.

carol administers, alice makes credentials, bob decides.
"""

import http.client
import re
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from django.utils import timezone

import certificates.services
from certificates.models import CertificateStatus, Version
from enrollment.models import Enrollment
from foundation.errors import ConnectorError
from issuers.models import Issuer, Profile
from issuers.x509 import certs
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status
from tests.ca import make_ca, named, pem_of
from tests.enrollment.conftest import DEVICE, OPEN, OTHER
from tests.enrollment.est_client import basic, body_of, enrolled
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import (
    FAILURE,
    PENDING,
    SUCCESS,
    asks,
    csr_der,
    device,
    new_key,
    replied,
)
from tests.factories import OwnerFactory
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db
ENROLL, RENEW = "simpleenroll", "simplereenroll"


def switch_off(what, label):
    """Disable the label's issuer, or its profile."""
    model, pk = (Issuer, label.issuer_id) if what == "issuer" else (Profile, label.profile_id)
    model.objects.filter(pk=pk).update(enabled=False)
    return lambda: model.objects.filter(pk=pk).update(enabled=True)


# --- What is switched off -------------------------------------------------------------------


@pytest.mark.parametrize("what", ["issuer", "profile"])
def test_while_issuer_or_profile_is_off_nothing_is_asked_for_and_a_device_hears_why(
    est, label, secret_for, what
):
    made, csr = secret_for(label), make_csr(DEVICE)
    on_again = switch_off(what, label)

    answer = est.ask(ENROLL, csr, secret=made.text)

    assert answer.status_code == 400
    assert "disabled" in answer.text or "Nothing is issued" in answer.text
    assert not Enrollment.objects.exists()
    made.credential.refresh_from_db()
    assert made.credential.spent_on_id is None
    on_again()
    assert est.ask(ENROLL, csr, secret=made.text).status_code == 200


@pytest.mark.parametrize("what", ["issuer", "profile"])
def test_nothing_renews_while_issuer_or_profile_is_off(est, label, secret_for, what):
    version = enrolled(est, label, secret_for(label))
    on_again = switch_off(what, label)

    assert est.ask(RENEW, make_csr(DEVICE), shown=version).status_code == 400

    on_again()
    assert est.ask(RENEW, make_csr(DEVICE), shown=version).status_code == 200


@pytest.mark.parametrize("what", ["issuer", "profile"])
def test_what_waits_when_issuer_or_profile_goes_off_is_not_signed_and_may_be_asked_anew(
    est, slow_label, secret_for, bob, carol, what
):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    assert est.ask(ENROLL, csr, label="slow-cams", secret=made.text).status_code == 202
    job = Job.objects.get()
    on_again = switch_off(what, slow_label)
    job_services.approve_job(job_id=job.pk, actor=bob)

    runner.run_pending()

    job.refresh_from_db()
    assert (job.status, job.version) == (Status.FAILED, None)
    assert est.ask(ENROLL, csr, label="slow-cams", secret=made.text).status_code in {400, 403}
    on_again()
    job_services.retry_job(job_id=job.pk, actor=carol)
    runner.run_pending()
    answer = est.ask(ENROLL, csr, label="slow-cams", secret=made.text)
    assert answer.status_code == 200, answer.content
    assert Version.objects.count() == 1


@pytest.mark.parametrize("what", ["issuer", "profile"])
def test_scep_says_the_same_in_its_words(scep, scep_label, secret_for, what):
    made, who = secret_for(scep_label), device(scep)
    on_again = switch_off(what, scep_label)

    reply = asks(scep, who, made.text)

    assert reply.status == FAILURE
    assert "disabled" in reply.words or "Nothing is issued" in reply.words
    on_again()
    assert asks(scep, who, made.text).status == SUCCESS


# --- A manufacturer's key that leaked -------------------------------------------------------


@pytest.fixture
def makers(make_label, device_profile):
    """A label that two manufacturers' devices may enroll at, and the two."""
    two = [make_ca(subject=named(f"Maker {number}")) for number in (1, 2)]
    pems = [pem_of(maker.certificate) for maker in two]
    label = make_label(
        "born", device_profile, accepts=["manufacturer"], trust_anchors_pem="".join(pems)
    )
    return label, two


def born_at(maker, name):
    """Return what a device of that manufacturer sends and shows."""
    born = maker.certify(f"{name}.maker.test", name=name)
    csr = make_csr(f"{name}.demo.internal", common_name="")
    return {"csr_pem": csr, "shown": born.leaf_pem, "label": "born"}


def take_away(client, label, maker):
    left = "".join(
        pem
        for pem in label.trust_anchors_pem.split("\n-----BEGIN")
        for pem in [pem if pem.startswith("-----BEGIN") else f"-----BEGIN{pem}"]
        if x509.load_pem_x509_certificate(pem.encode()) != maker.certificate
    )
    path = f"/api/v1/enrollment-labels/{label.pk}/"
    return client.patch(path, {"trust_anchors_pem": left})


def test_a_trust_anchor_that_is_taken_away_ends_what_it_let_in_and_is_open(
    est, makers, carol, bob, client_of
):
    label, (leaked, good) = makers
    theirs, ours = born_at(leaked, "SN-1"), born_at(good, "SN-2")
    assert [est.ask(ENROLL, **one).status_code for one in (theirs, ours)] == [202, 202]

    taken = take_away(client_of(carol), label, leaked)

    assert taken.status_code == 200, taken.content
    by_name = {one.device.name: one.job for one in Enrollment.objects.select_related("job")}
    assert by_name["SN-1"].status == Status.CANCELLED
    assert by_name["SN-2"].status == Status.AWAITING_APPROVAL
    assert est.ask(ENROLL, **theirs).status_code in {401, 403}
    job_services.approve_job(job_id=by_name["SN-2"].pk, actor=bob)
    runner.run_pending()
    assert est.ask(ENROLL, **ours).status_code == 200
    assert Version.objects.count() == 1


def test_what_it_let_in_is_found_by_it_and_renews_until_somebody_blocks_it(
    est, makers, carol, alice, bob, client_of
):
    label, (leaked, good) = makers
    asked = [born_at(leaked, "SN-1"), born_at(good, "SN-2")]
    for one in asked:
        assert est.ask(ENROLL, **one).status_code == 202
    for job in Job.objects.all():
        job_services.approve_job(job_id=job.pk, actor=bob)
    runner.run_pending()
    version = Version.objects.get(certificate__enrollments__device__name="SN-1")
    assert take_away(client_of(carol), label, leaked).status_code == 200

    fingerprint = certs.fingerprint(leaked.certificate)
    listed = client_of(alice).get(f"/api/v1/enrollments/?anchor={fingerprint}").json()["results"]

    assert [(one["device_name"], one["anchor"]) for one in listed] == [("SN-1", fingerprint)]
    renewal = {"csr_pem": make_csr("SN-1.demo.internal", common_name=""), "label": "born"}
    assert est.ask(RENEW, shown=version, **renewal).status_code == 200
    client_of(alice).post(f"/api/v1/enrollment-devices/{listed[0]['device']}/block/", {})
    newest = version.certificate.versions.get(number=2)
    renewal["csr_pem"] = make_csr("SN-1.demo.internal", common_name="")
    assert est.ask(RENEW, shown=newest, **renewal).status_code == 403


def test_of_what_was_asked_before_anchors_were_kept_nothing_waits_on(est, makers, carol, client_of):
    label, (leaked, good) = makers
    assert est.ask(ENROLL, **born_at(good, "SN-2")).status_code == 202
    Enrollment.objects.update(anchor="")

    assert take_away(client_of(carol), label, leaked).status_code == 200

    assert Job.objects.get().status == Status.CANCELLED


def test_a_label_that_keeps_its_anchors_ends_nothing(est, makers, carol, client_of):
    label, (one, _) = makers
    assert est.ask(ENROLL, **born_at(one, "SN-1")).status_code == 202
    path = f"/api/v1/enrollment-labels/{label.pk}/"

    assert client_of(carol).patch(path, {"environment": "lab"}).status_code == 200
    assert client_of(carol).patch(path, {"trust_anchors_pem": "no PEM"}).status_code == 400

    assert Job.objects.get().status == Status.AWAITING_APPROVAL


# --- Profiles of other kinds ----------------------------------------------------------------


@pytest.fixture
def strict_profile(db):
    """First certificates as they come, renewals by approval."""
    return Profile.objects.create(slug="renewals", approval_required_for=["Renewal"], **OPEN)


def test_a_profile_that_wants_renewals_approved_lets_first_ones_pass_and_renewals_wait(
    est, make_label, strict_profile, secret_for, bob
):
    label = make_label("cams", strict_profile)
    version, csr = enrolled(est, label, secret_for(label)), make_csr(DEVICE)

    assert est.ask(RENEW, csr, shown=version).status_code == 202
    job_services.approve_job(job_id=Job.objects.get(version=None).pk, actor=bob)
    runner.run_pending()

    assert est.ask(RENEW, csr, shown=version).status_code == 200
    assert Version.objects.count() == 2


def test_nor_does_a_second_credential_get_round_that(est, make_label, strict_profile, secret_for):
    label = make_label("cams", strict_profile)
    enrolled(est, label, secret_for(label))

    answer = est.ask(ENROLL, make_csr(DEVICE), secret=secret_for(label).text)

    assert answer.status_code == 202
    assert Version.objects.count() == 1


def test_scep_s_renewal_waits_there_too(scep, make_scep_label, strict_profile, secret_for, bob):
    label = make_scep_label("routers", strict_profile)
    who, version = by_scep(scep, secret_for(label))
    renewal = who.message(17, csr_der(new_key()))

    assert replied(who, scep.post_message(renewal)).status == PENDING
    job_services.approve_job(job_id=Job.objects.get(version=None).pk, actor=bob)
    runner.run_pending()

    assert replied(who, scep.post_message(renewal)).status == SUCCESS
    assert version.certificate.versions.count() == 2


def by_scep(scep, made, **options):
    """Enroll by SCEP; the device with its certificate, and the version."""
    who = device(scep, **options)
    reply = asks(scep, who, made.text)
    assert reply.status == SUCCESS, reply.words
    version = Version.objects.get(device__gt="")
    own = x509.load_pem_x509_certificate(version.pem.encode())
    return Device(who.ra, who.key, own, transaction_id="renewal"), version


@pytest.fixture
def brief_profile(db):
    """Certificates of half an hour."""
    brief = {**OPEN, "max_lifetime": timedelta(minutes=30)}
    return Profile.objects.create(slug="brief", approval_required_for=[], **brief)


def test_certificates_of_half_an_hour_are_enrolled_and_renewed_by_est(
    est, make_label, brief_profile, secret_for
):
    label = make_label("cams", brief_profile)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        made, csr = secret_for(label), make_csr(DEVICE)
        version = enrolled(est, label, made, csr)
        assert version.short_lived
        clock.shift(timedelta(minutes=25))
        assert est.ask(RENEW, csr, shown=version).status_code == 200
        newest = version.certificate.versions.order_by("-number").first()
        assert (newest.number, newest.short_lived) == (2, True)
        clock.shift(timedelta(minutes=40))
        refused = est.ask(RENEW, csr, shown=newest)
        assert refused.status_code in {401, 403}
        assert "expired" in refused.text


def test_certificates_of_half_an_hour_are_enrolled_and_renewed_by_scep(
    scep, make_scep_label, brief_profile, secret_for
):
    label = make_scep_label("routers", brief_profile)
    who, version = by_scep(scep, secret_for(label))
    assert version.short_lived

    reply = replied(who, scep.post_message(who.message(17, csr_der(new_key()))))

    assert reply.status == SUCCESS, reply.words


# --- What people do to a device's certificate -----------------------------------------------


def test_who_is_named_for_one_certificate_stays_named_when_its_device_renews(
    est, label, secret_for, carol, client_of
):
    version = enrolled(est, label, secret_for(label))
    other = OwnerFactory(name="others")
    path = f"/api/v1/certificates/{version.certificate_id}/"
    changed = client_of(carol).patch(path, {"owner": other.name, "environment": "lab"})
    assert changed.status_code == 200, changed.content

    assert est.ask(RENEW, make_csr(DEVICE), shown=version).status_code == 200

    certificate = Version.objects.get(number=2).certificate
    assert (certificate.owner, certificate.environment) == (other, "lab")


def test_an_archived_certificate_renews_nothing_and_its_device_enrolls_anew(
    est, label, secret_for, carol
):
    version = enrolled(est, label, secret_for(label))
    certificates.services.revoke(version_id=version.pk, actor=carol)
    certificates.services.archive(certificate_id=version.certificate_id, actor=carol)

    assert est.ask(RENEW, make_csr(DEVICE), shown=version).status_code in {401, 403}
    again = est.ask(ENROLL, make_csr(DEVICE), secret=secret_for(label).text)

    assert again.status_code == 200, again.content
    newest = Version.objects.order_by("created_at").last()
    assert newest.certificate_id != version.certificate_id
    version.certificate.refresh_from_db()
    assert version.certificate.status == CertificateStatus.ARCHIVED


def test_what_was_imported_under_a_device_s_name_renews_nothing_at_a_label(
    est, label, secret_for, carol, client_of, owner, local_ca
):
    foreign = make_ca(subject=named("Elsewhere")).certify(DEVICE, name=DEVICE)
    said = {"owner": owner.name, "issuer": local_ca.slug, "profile": label.profile.slug}
    client, path = client_of(carol), "/api/v1/certificates/import/"
    imported = client.post(path, {**said, "pem": foreign.leaf_pem})
    assert imported.status_code == 201, imported.content

    refused = est.ask(RENEW, make_csr(DEVICE), shown=foreign.leaf_pem)
    version = enrolled(est, label, secret_for(label))  # whose credential names it

    assert refused.status_code in {401, 403}
    assert str(version.certificate_id) != imported.json()["id"]
    again = client.post(path, {**said, "pem": version.pem})
    assert (again.status_code, again.json()["code"]) == (409, "already_imported")


# --- Many at once, and again ----------------------------------------------------------------


def test_bob_approves_many_devices_on_one_page(est, slow_label, secret_for, browse, bob):
    asked = {}
    for name in (DEVICE, OTHER):
        made, csr = secret_for(slow_label, name), make_csr(name)
        asked[name] = {"csr_pem": csr, "secret": made.text, "label": "slow-cams"}
        assert est.ask(ENROLL, **asked[name]).status_code == 202
    selected = [str(pk) for pk in Job.objects.values_list("pk", flat=True)]
    client, address = browse(bob), "/admin/jobs/job/"
    shown = client.post(address, {"action": "approve", "_selected_action": selected})
    assert all(name in shown.content.decode() for name in (DEVICE, OTHER))

    plan = re.findall(r'name="([^"]+)" value="([^"]*)"', shown.content.decode())
    given = {name: value for name, value in plan if name != "_selected_action"}
    done = client.post(address, {**given, "action": "approve", "_selected_action": selected})

    assert done.status_code == 302, done.content.decode()[:2000]
    assert runner.run_pending() == 2
    assert {est.ask(ENROLL, **one).status_code for one in asked.values()} == {200}


@pytest.mark.parametrize("permanent", [False, True])
def test_what_failed_waits_while_it_is_tried_again_and_is_had_once(
    est, label, secret_for, system, carol, monkeypatch, permanent
):
    made, csr = secret_for(label), make_csr(DEVICE)

    def fail(*_):
        raise ConnectorError("The HSM is away.", permanent=permanent)

    with monkeypatch.context() as patched:
        patched.setattr("issuers.connectors.local.LocalCA.place", fail)
        first = est.ask(ENROLL, csr, secret=made.text)
    assert first.status_code == (403 if permanent else 202)
    assert "HSM" not in first.text

    if permanent:  # it stands for that request, until somebody has it tried again
        assert est.ask(ENROLL, csr, secret=made.text).status_code == 403
        job_services.retry_job(job_id=Job.objects.get().pk, actor=carol)
    Job.objects.filter(status=Status.FAILED).update(scheduled_at=timezone.now())
    job_services.retry_failed(actor=system)
    answer = est.ask(ENROLL, csr, secret=made.text)

    assert answer.status_code == 200, answer.content
    assert Version.objects.count() == 1


# --- On the wire ----------------------------------------------------------------------------


@pytest.mark.takes(8)
@pytest.mark.django_db(transaction=True)
def test_chunked_bodies_and_odd_headers_reach_both_doors_as_they_were_meant(
    web, label, make_label, free_device_profile, secret_for
):
    make_label("routers", free_device_profile, protocol="scep")
    runner.run_pending()
    server = web(CERTCTL_TLS_FRONTS="127.0.0.1")
    made, csr = secret_for(label), body_of(make_csr(DEVICE))
    head = {"X-Forwarded-Proto": "https", "Content-Type": "application/pkcs10"}
    head["Authorization"] = basic(made.text)

    def send(path, headers, body, *, chunked=False):
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as line:
            line.request("POST", path, body, headers, encode_chunked=chunked)
            answer = line.getresponse()
            return answer.status, answer.read()

    path = "/.well-known/est/cams/simpleenroll"
    parts = [csr[at : at + 7] for at in range(0, len(csr), 7)]
    status, body = send(path, {**head, "Transfer-Encoding": "chunked"}, iter(parts), chunked=True)
    assert status == 200, body
    # The same request, whole and with a header that goes on in a second line (RFC 9112 §5.2).
    status, body = send(path, {**head, "X-Folded": "one\r\n two"}, csr)
    assert status in {200, 400}, body
    status, body = send(path, {**head, "Authorization": "Basic\r\n " + head["Authorization"]}, csr)
    assert status in {400, 401}, body
    address, head = "/scep/routers?operation=PKIOperation", {"Transfer-Encoding": "chunked"}
    status, _ = send(address, head, iter([b"0" * 9, b"1"]), chunked=True)
    assert status == 400
    assert Version.objects.filter(device__gt="").count() == 1
    assert "Traceback" not in server.log.read_text()
