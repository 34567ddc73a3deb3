"""EST as a device sees it: who is let in, what is answered, and what is told of it."""

import base64
from datetime import timedelta

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

import certificates.services
import issuers.services
from audit.models import Event
from certificates.models import Version
from enrollment import services
from enrollment.models import Enrollment
from issuers.models import Profile
from issuers.services import NewCA
from issuers.x509 import certs
from jobs import services as job_services
from jobs.approvals import review
from jobs.models import Job
from tests.ca import make_ca, named, pem_of
from tests.enrollment.conftest import DEVICE, FRONT, OPEN, OTHER
from tests.enrollment.est_client import (
    BASE,
    basic,
    certificates_in,
    enrolled,
    refusals,
)
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


# --- cacerts, csrattrs ----------------------------------------------------------------------


def test_anybody_gets_the_ca_certificates(est, label):
    answer = est.ask("cacerts", method="get")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pkcs7-mime")
    assert label.issuer.certificate in certificates_in(answer)
    assert not answer.cookies
    assert "Vary" not in answer.headers
    assert "Content-Transfer-Encoding" not in answer.headers


def test_cacerts_tells_devices_of_the_ca_to_come(est, make_label, free_device_profile, carol):
    old, new = (
        issuers.services.create_local_ca(
            actor=carol,
            ca=NewCA(slug=slug, common_name="Demo Root", lifetime=timedelta(days=3650)),
        )
        for slug in ("old", "new")
    )
    make_label("cams", free_device_profile, issuer=old)
    assert len(certificates_in(est.ask("cacerts", method="get"))) == 1
    issuer = issuers.services.name_successor(actor=carol, issuer_id=old.pk, successor=new)
    links = [issuer.old_with_new_pem, issuer.new_with_old_pem]

    told = certificates_in(est.ask("cacerts", method="get"))

    wanted = [old.certificate_pem, new.certificate_pem, *links]
    assert {certs.pem(one) for one in told} == {certs.pem(certs.load(pem)) for pem in wanted}


def test_the_default_label_answers_without_a_label(est, make_label, free_device_profile):
    assert est.ask("cacerts", label="", method="get").status_code == 404
    make_label("usual", free_device_profile, is_default=True)

    assert est.ask("cacerts", label="", method="get").status_code == 200
    assert est.ask("cacerts", label="usual", method="get").status_code == 200


@pytest.mark.parametrize("path", ["nowhere/cacerts", "cams/other", "cams", "", "cams/cacerts/"])
def test_what_is_no_address_is_404_in_words(est, label, path):
    answer = est.get(f"{BASE}/{path}", REMOTE_ADDR=FRONT, headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_label_of_scep_is_none_of_est(est, make_label, free_device_profile):
    make_label("routers", free_device_profile, protocol="scep")

    assert est.ask("cacerts", label="routers", method="get").status_code == 404


def test_csrattrs_says_what_the_profile_wants(est, label):
    answer = est.ask("csrattrs", method="get")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/csrattrs")
    der = base64.b64decode(answer.content)
    assert bytes.fromhex("2a8648ce3d030107") in der  # P-256
    assert bytes.fromhex("551d11") in der  # names, which the client fills in


def test_the_profile_of_csrattrs_is_the_label_s(est, make_label):
    profile = Profile.objects.create(
        slug="rsa", approval_required_for=[], **{**OPEN, "key_algorithms": ["rsa-3072"]}
    )
    make_label("rsa", profile)

    answer = est.ask("csrattrs", label="rsa", method="get")

    assert b"\x02\x02\x0c\x00" in base64.b64decode(answer.content)  # INTEGER 3072


def test_full_cmc_is_not_there(est, label):
    assert est.ask("fullcmc", make_csr(DEVICE)).status_code == 501


@pytest.mark.parametrize(
    ("operation", "method", "allowed"),
    [("cacerts", "post", "GET, HEAD"), ("simpleenroll", "get", "POST")],
)
def test_a_method_that_is_none_is_405(est, label, operation, method, allowed):
    answer = est.ask(operation, make_csr(DEVICE), method=method)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


# --- enrolling ------------------------------------------------------------------------------


def test_a_device_enrolls_by_its_credential_and_gets_its_certificate_alone(est, label, secret_for):
    made, csr = secret_for(label), make_csr(DEVICE)

    answer = est.ask("simpleenroll", csr, secret=made.text, user=DEVICE)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pkcs7-mime; smime-type=certs-only"
    (certificate,) = certificates_in(answer)
    assert certificate.public_key() == x509.load_pem_x509_csr(csr.encode()).public_key()
    event = Event.objects.get(action="job.request")
    assert (event.door, event.api_key) == ("est", made.credential.prefix)
    assert Event.objects.filter(action="enrollment.collect").count() == 1
    assert not answer.cookies


def test_whoever_shows_nothing_is_asked_for_a_credential_and_not_accused(est, label):
    answer = est.ask("simpleenroll", make_csr(DEVICE))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="est/cams", charset="UTF-8"'
    assert refusals() == []


@pytest.mark.parametrize(
    "authorization",
    [
        basic("abcdefghij-" + "a" * 32, DEVICE),
        basic("", ""),
        basic("x\0y", "\0"),
        "Basic !!!",
        "Basic",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + "A" * 5000,
        "Bearer certctl_x",
    ],
)
def test_a_wrong_credential_is_401(est, label, authorization):
    answer = est.ask("simpleenroll", make_csr(DEVICE), Authorization=authorization)

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert not Job.objects.exists()
    assert len(refusals()) == 1


def test_a_guesser_is_locked_out_with_429(est, label, secret_for):
    made = secret_for(label)
    wrong = f"{made.credential.prefix}-{'a' * 32}"
    for _ in range(30):
        assert est.ask("simpleenroll", make_csr(DEVICE), secret=wrong).status_code == 401

    answer = est.ask("simpleenroll", make_csr(DEVICE), secret=made.text)

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_an_address_may_ask_so_often_and_no_more(est, label, settings):
    settings.ENROLLMENT_RATE = "3/min"
    with time_machine.travel(timezone.now(), tick=False):
        statuses = [est.ask("cacerts", method="get").status_code for _ in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_what_needs_approval_waits_and_the_same_request_collects_it(
    est, slow_label, secret_for, bob
):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    ask = {"label": slow_label.path, "secret": made.text}
    answer = est.ask("simpleenroll", csr, **ask)
    assert answer.status_code == 202
    assert int(answer.headers["Retry-After"]) > 0
    job = Job.objects.get()

    job_services.approve_job(job_id=job.pk, actor=bob, digest=review(job).digest)

    assert est.ask("simpleenroll", csr, **ask).status_code == 200
    assert Version.objects.count() == 1


def test_a_rejection_is_403_with_its_reason_on_one_line(est, slow_label, secret_for, bob):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    ask = {"label": slow_label.path, "secret": made.text}
    est.ask("simpleenroll", csr, **ask)
    job_services.reject_job(job_id=Job.objects.get().pk, actor=bob, reason="not ours\r\nX: y")

    answer = est.ask("simpleenroll", csr, **ask)

    assert answer.status_code == 403
    assert answer.content == b"The request was rejected: not ours X: y\n"


def test_a_blocked_label_enrolls_nothing(est, label, secret_for, carol):
    made = secret_for(label)
    services.block_label(actor=carol, label_id=label.pk)

    assert est.ask("simpleenroll", make_csr(DEVICE), secret=made.text).status_code == 403
    assert refusals() == [("enrollment.request.refuse", 403)]


def test_a_label_whose_principal_is_disabled_enrolls_nothing(est, label, secret_for):
    made = secret_for(label)
    label.principal.is_active = False
    label.principal.save()

    assert est.ask("simpleenroll", make_csr(DEVICE), secret=made.text).status_code == 403
    assert not Job.objects.exists()


# --- renewing -------------------------------------------------------------------------------


def test_a_device_renews_by_mutual_tls(est, label, secret_for):
    first = enrolled(est, label, secret_for(label))

    for operation in ("simplereenroll", "simpleenroll"):
        answer = est.ask(operation, make_csr(DEVICE), shown=first)
        assert answer.status_code == 200
        (certificate,) = certificates_in(answer)
        first = Version.objects.get(fingerprint=certs.fingerprint(certificate))
    assert first.number == 3


def test_no_credential_renews(est, label, secret_for):
    made = secret_for(label, one_time=False)
    enrolled(est, label, made)

    answer = est.ask("simplereenroll", make_csr(DEVICE), secret=made.text)

    assert answer.status_code == 403
    assert Version.objects.count() == 1


@pytest.mark.parametrize("why", ["revoked", "expired", "foreign", "other-label"])
def test_a_certificate_that_does_not_hold_renews_nothing(
    why, est, label, make_label, free_device_profile, secret_for, bob
):
    version = enrolled(est, label, secret_for(label))
    when, at, shown = timezone.now(), label, version
    if why == "revoked":
        certificates.services.revoke(version_id=version.pk, actor=bob, reason="keyCompromise")
    elif why == "expired":
        when += timedelta(days=50)
    elif why == "foreign":
        shown = same_names_elsewhere()
    else:
        at = make_label("others", free_device_profile)
    statuses = []
    with time_machine.travel(when, tick=False):
        for operation in ("simplereenroll", "simpleenroll"):
            answer = est.ask(operation, make_csr(DEVICE), label=at.path, shown=shown)
            statuses.append(answer.status_code)

    assert set(statuses) <= {401, 403}
    assert Version.objects.count() == 1
    assert Event.objects.filter(action="credential.refuse").count() == 1  # once a minute


def same_names_elsewhere():
    """A certificate of another CA with the device's subject and names, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = timezone.now()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, DEVICE)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DEVICE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certs.pem(certificate)


def test_a_manufacturer_s_certificate_enrolls_and_does_not_renew(
    est, make_label, free_device_profile
):
    """What it enrolls waits, for it is known by its manufacturer alone."""
    maker = make_ca(subject=named("Maker"))
    born = maker.certify("cam-1.maker.test", name="SN-17")
    label = make_label(
        "born",
        free_device_profile,
        accepts=["manufacturer"],
        trust_anchors_pem=pem_of(maker.certificate),
    )
    at = {"label": label.path, "shown": born.leaf_pem}

    assert est.ask("simplereenroll", make_csr(DEVICE), **at).status_code == 403
    assert not Job.objects.exists()
    assert est.ask("simpleenroll", make_csr(DEVICE), **at).status_code == 202
    assert Enrollment.objects.get().device.name == "SN-17"


def test_a_credential_counts_before_the_certificate_of_the_connection(est, label, secret_for, bob):
    version = enrolled(est, label, secret_for(label))
    certificates.services.revoke(version_id=version.pk, actor=bob, reason="superseded")
    made = secret_for(label)

    answer = est.ask("simpleenroll", make_csr(DEVICE), shown=version, secret=made.text)

    assert answer.status_code == 200


# --- each pair of credentials ---------------------------------------------------------------


@pytest.mark.parametrize("operation", ["simpleenroll", "simplereenroll"])
@pytest.mark.parametrize("mine", ["secret", "spent", "certificate"])
def test_no_device_gets_what_is_another_s(est, label, secret_for, operation, mine):
    """Enroll, renew and collect for another, by whatever one has."""
    theirs = make_csr(OTHER)
    enrolled(est, label, secret_for(label, OTHER), theirs)
    made, own_csr = secret_for(label), make_csr(DEVICE)
    shown = None
    if mine != "secret":
        shown = enrolled(est, label, made, own_csr)
    ask = {"shown": shown} if mine == "certificate" else {"secret": made.text}
    count = Version.objects.count()

    for csr in (
        theirs,
        make_csr(OTHER),
        make_csr(DEVICE, OTHER),
        make_csr(OTHER, common_name=DEVICE),
    ):
        answer = est.ask(operation, csr, **ask)
        assert answer.status_code in {400, 401, 403}, answer.content
    for user in (OTHER, "cams"):
        if mine == "secret":
            answer = est.ask("simpleenroll", own_csr, secret=made.text, user=user)
            assert answer.status_code == 401
    assert Version.objects.count() == count


def test_what_waits_for_one_device_is_collected_by_no_other(est, slow_label, secret_for, bob):
    mine, theirs = secret_for(slow_label), secret_for(slow_label, OTHER)
    csr = make_csr(DEVICE)
    at = {"label": slow_label.path}
    assert est.ask("simpleenroll", csr, **at, secret=mine.text).status_code == 202
    job = Job.objects.get()
    job_services.approve_job(job_id=job.pk, actor=bob, digest=review(job).digest)

    assert est.ask("simpleenroll", csr, **at, secret=theirs.text).status_code == 403

    assert Enrollment.objects.get().collected_at is None
    assert est.ask("simpleenroll", csr, **at, secret=mine.text).status_code == 200
