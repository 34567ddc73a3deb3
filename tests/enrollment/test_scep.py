"""SCEP as a device sees it: what is answered, by POST and by GET, and to whom."""

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.utils import timezone

import certificates.crl
import certificates.services
import issuers.services
from audit.models import Event
from certificates.models import Version
from enrollment import services
from enrollment.cms import bags, signed
from enrollment.models import Enrollment
from enrollment.replies import TEXT
from enrollment.scep import message
from issuers.models import Profile
from issuers.services import NewCA
from issuers.x509 import certs
from jobs import services as job_services
from jobs.approvals import review
from jobs.models import Job
from jobs.policy import SelfApproval
from tests.enrollment.conftest import DEVICE, OPEN, OTHER
from tests.enrollment.scep_client import Device
from tests.enrollment.scep_door import (
    BAD_ALG,
    BAD_CERT_ID,
    BAD_REQUEST,
    FAILURE,
    PENDING,
    SUCCESS,
    asks,
    csr_der,
    device,
    issued_by,
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


def test_whoever_asks_for_the_ca_gets_the_ra_with_it(scep, scep_label):
    answer = scep.operation("GetCACert")

    assert answer.headers["Content-Type"] == "application/x-x509-ca-ra-cert"
    certificates = bags.parse(answer.content).certificates
    version = scep_label.ra_certificate.current
    assert {version.pem, certs.pem(scep_label.issuer.certificate)} <= {
        *map(certs.pem, certificates)
    }


def test_there_is_no_next_ca_before_somebody_named_it(scep, scep_label):
    assert scep.operation("GetNextCACert").status_code == 404


def test_the_next_ca_is_signed_by_that_of_today(scep, make_scep_label, free_device_profile, carol):
    old, new = (
        issuers.services.create_local_ca(
            actor=carol,
            ca=NewCA(slug=slug, common_name=f"CA {slug}", lifetime=timedelta(days=3650)),
        )
        for slug in ("old", "new")
    )
    make_scep_label("routers", free_device_profile, issuer=old)
    issuers.services.name_successor(actor=carol, issuer_id=old.pk, successor=new)

    answer = scep.operation("GetNextCACert")

    assert answer.headers["Content-Type"] == "application/x-x509-next-ca-cert"
    message = signed.parse(answer.content)
    message.verify()
    assert message.signer == old.certificate
    assert bags.parse(message.content).certificates == (new.certificate,)
    assert b"GetNextCACert\n" in scep.operation("GetCACaps").content


@pytest.mark.parametrize("name", ["", "GetCaCert", "PKIOperation\0", "x" * 5000])
def test_an_unknown_operation_is_400_in_words(scep, scep_label, name):
    answer = scep.operation(quote(name))

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, TEXT)


@pytest.mark.parametrize("path", ["/scep/nowhere", "/scep", "/scep/", "/scep/pkiclient.exe"])
def test_an_unknown_label_is_404(scep, scep_label, path):
    assert scep.operation("GetCACert", path=path).status_code == 404
    assert scep.post_message(b"", path=path).status_code == 404


def test_a_label_of_est_is_none_of_scep(scep, label):
    assert scep.operation("GetCACaps", label=label.path).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "head", "patch"])
def test_a_method_that_is_none_is_405(scep, scep_label, method):
    answer = scep.generic(method.upper(), "/scep/routers?operation=PKIOperation")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def test_plain_http_is_answered_and_led_nowhere(scep, scep_label, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert scep.operation("GetCACaps").status_code == 200


def test_a_host_that_nobody_named_is_answered_too(scep, scep_label, settings):
    settings.ALLOWED_HOSTS = ["pki.example.com"]

    answer = scep.get("/scep/routers?operation=GetCACaps", SERVER_PROTOCOL="HTTP/1.0", HTTP_HOST="")

    assert answer.status_code == 200


@BY
@pytest.mark.parametrize("body", [b"", b"0", b"\x30\x80", b"\x30\x03\x02\x01\x00", b"A" * 9000])
def test_what_is_no_message_is_400_in_words_and_told_once(scep, scep_label, by, body):
    answer = scep.send(body, by=by)

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, TEXT)
    assert Event.objects.filter(action__endswith=".refuse").count() == 1


def test_a_huge_body_is_413(scep, scep_label):
    assert scep.post_message(b"0" * (message.MAX_BYTES + 1)).status_code == 413


@BY
def test_a_truncated_message_is_400(scep, scep_label, secret_for, by):
    who = device(scep)
    body = who.pkcs_req(request=csr_der(who.key, challenge=secret_for(scep_label).text))

    assert {scep.send(body[:-cut], by=by).status_code for cut in (1, 50, 900)} == {400}
    assert not Enrollment.objects.exists()


# --- Who may --------------------------------------------------------------------------------


@BY
def test_a_rejected_request_is_a_failure_with_the_reason(
    scep, slow_scep_label, secret_for, bob, by
):
    made, who = secret_for(slow_scep_label), device(scep)
    asks(scep, who, made.text, by=by)
    job = Enrollment.objects.get().job
    job_services.reject_job(job_id=job.pk, actor=bob, reason="not ours")

    poll = who.poll(slow_scep_label.issuer.certificate, subject=DEVICE)
    reply = replied(who, scep.send(poll, by=by))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert "not ours" in reply.words


def test_whoever_made_the_challenge_does_not_approve(scep, slow_scep_label, secret_for, alice):
    asks(scep, device(scep), secret_for(slow_scep_label).text)
    job = Enrollment.objects.get().job

    with pytest.raises(SelfApproval):
        job_services.approve_job(job_id=job.pk, actor=alice, digest=review(job).digest)


@BY
def test_an_expired_a_replayed_and_another_label_s_challenge_enroll_nothing(
    scep, scep_label, make_scep_label, free_device_profile, secret_for, by
):
    used = secret_for(scep_label)
    assert asks(scep, device(scep), used.text, by=by).status == SUCCESS
    soon = timezone.now() + timedelta(hours=1)
    expired = secret_for(scep_label, "cam-5.demo.internal", expires_at=soon)
    elsewhere = secret_for(make_scep_label("others", free_device_profile))
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        for made, name in ((used, DEVICE), (expired, "cam-5.demo.internal"), (elsewhere, DEVICE)):
            reply = asks(scep, device(scep, name=name), made.text, by=by, name=name)
            assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert Version.objects.filter(device__startswith="scep/").count() == 1


def test_a_guesser_is_locked_out_in_scep_s_words(scep, scep_label, secret_for):
    made, who = secret_for(scep_label), device(scep)
    wrong = f"{made.credential.prefix}-{'a' * 32}"
    for _ in range(30):
        assert asks(scep, who, wrong).fail_info == BAD_REQUEST

    assert asks(scep, who, made.text).status == FAILURE
    assert Event.objects.filter(action="credential.lock_out").count() == 1


def test_whoever_asks_too_often_hears_it_in_scep_s_words(scep, scep_label, secret_for, settings):
    made, who = secret_for(scep_label), device(scep)
    settings.ENROLLMENT_RATE = "1/min"
    with time_machine.travel(timezone.now(), tick=False):
        asks(scep, who, made.text)
        reply = asks(scep, who, made.text)
        assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
        answer = scep.operation("GetCACaps")
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert scep.post_message(b"").status_code == 503


@BY
def test_a_request_outside_the_profile_is_a_failure(scep, scep_label, secret_for, by):
    made = secret_for(scep_label, "cam-1.elsewhere.example")

    reply = asks(scep, device(scep), made.text, by=by, name="cam-1.elsewhere.example")

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert "cam-1.elsewhere.example" in reply.words


def test_a_key_that_the_profile_does_not_allow_is_bad_alg(scep, make_scep_label, secret_for):
    rules = {**OPEN, "key_algorithms": ["rsa-3072"]}
    profile = Profile.objects.create(slug="strong", approval_required_for=[], **rules)
    label = make_scep_label("routers", profile)

    assert asks(scep, device(scep), secret_for(label).text).fail_info == BAD_ALG


def test_without_a_challenge_and_without_a_certificate_there_is_none(scep, scep_label):
    reply = asks(scep, device(scep), None)

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert Event.objects.filter(action="enrollment.request.refuse").count() == 1


@BY
def test_old_algorithms_are_for_labels_that_allow_them(
    scep, scep_label, make_scep_label, free_device_profile, secret_for, caplog, by
):
    old = {"digest": "sha1", "cipher": "des_ede3_cbc"}
    who = device(scep, **old)
    answer = scep.send(who.pkcs_req(request=csr_der(who.key, challenge="x")), by=by)
    assert replied(who, answer).fail_info == BAD_ALG

    label = make_scep_label("old", free_device_profile, legacy_algorithms=True)
    who = device(scep, label="old", **old)
    request = csr_der(who.key, challenge=secret_for(label).text)
    answer = scep.send(who.pkcs_req(request=request), by=by, label="old")
    reply = replied(who, answer, legacy=True)
    assert (reply.status, reply.digest, reply.cipher) == (SUCCESS, "sha1", "des_ede3_cbc")
    assert "sha1 and des_ede3_cbc" in caplog.text
    assert b"SHA-1\n" in scep.operation("GetCACaps", label="old").content


def test_a_request_signed_with_sha_1_is_bad_alg_in_a_label_of_old_gear_too(
    scep, make_scep_label, free_device_profile, secret_for
):
    label = make_scep_label("old", free_device_profile, legacy_algorithms=True)
    who = device(scep, label="old")
    request = csr_der(who.key, challenge=secret_for(label).text)
    # sha1WithRSAEncryption for sha256WithRSAEncryption: the signature is not looked at any more.
    request = request.replace(bytes.fromhex("f70d01010b"), bytes.fromhex("f70d010105"))

    reply = replied(who, scep.send(who.pkcs_req(request=request), label="old"))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_ALG)


def test_an_ec_device_hears_bad_alg(scep, scep_label, secret_for):
    key = ec.generate_private_key(ec.SECP256R1())
    who = device(scep, key=key)

    assert asks(scep, who, secret_for(scep_label).text).fail_info == BAD_ALG


# --- Transactions ---------------------------------------------------------------------------


def test_another_key_under_the_same_transaction_is_refused(scep, slow_scep_label, secret_for):
    made = secret_for(slow_scep_label, one_time=False)
    assert asks(scep, device(scep), made.text).status == PENDING

    reply = asks(scep, device(scep), made.text)  # with a key of its own

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert "transactionID" in reply.words
    assert Enrollment.objects.count() == 1


@pytest.mark.parametrize("change", ["transaction", "key"])
def test_a_poll_needs_the_transaction_and_its_key(scep, slow_scep_label, secret_for, change):
    who = device(scep)
    asks(scep, who, secret_for(slow_scep_label).text)
    other = (
        device(scep)
        if change == "key"
        else Device(who.ra, who.key, who.certificate, transaction_id="other")
    )

    poll = other.poll(slow_scep_label.issuer.certificate, subject=DEVICE)
    reply = replied(other, scep.send(poll))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_CERT_ID)


def test_a_device_that_calls_its_request_anew_asks_after_it_by_that(
    scep, slow_scep_label, secret_for
):
    made, who = secret_for(slow_scep_label), device(scep)
    asks(scep, who, made.text)
    again = Device(who.ra, who.key, who.certificate, transaction_id="again")
    assert asks(scep, again, made.text).status == PENDING

    poll = again.poll(slow_scep_label.issuer.certificate, subject=DEVICE)

    assert replied(again, scep.send(poll)).status == PENDING
    assert Enrollment.objects.count() == 1


def test_a_renewal_that_waits_is_asked_after_with_the_certificate_that_asked(
    scep, make_scep_label, free_device_profile, secret_for
):
    label = make_scep_label("routers", free_device_profile, approve_renewals=True)
    who, _ = enrolled(scep, secret_for(label))
    assert replied(who, scep.send(who.message(17, csr_der(new_key())))).status == PENDING

    poll = who.poll(label.issuer.certificate, subject=DEVICE)

    assert replied(who, scep.send(poll)).status == PENDING


# --- Renewing -------------------------------------------------------------------------------


@BY
@pytest.mark.parametrize("kind", [17, 19])
def test_older_clients_renew_by_pkcs_req_and_a_challenge_beside_it_is_not_looked_at(
    scep, scep_label, secret_for, kind, by
):
    who, _ = enrolled(scep, secret_for(scep_label))

    request = csr_der(new_key(), challenge="whatever")
    reply = replied(who, scep.send(who.message(kind, request), by=by))

    assert reply.status == SUCCESS, reply.words


@pytest.mark.parametrize("kind", [17, 19])
def test_nobody_renews_another_device_s_certificate(scep, scep_label, secret_for, kind):
    who, _ = enrolled(scep, secret_for(scep_label))

    request = csr_der(new_key(), name=OTHER)
    reply = replied(who, scep.send(who.message(kind, request)))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)


@pytest.mark.parametrize("kind", [17, 19])
def test_a_certificate_of_another_ca_with_the_same_subject_renews_nothing(
    scep, scep_label, secret_for, kind
):
    enrolled(scep, secret_for(scep_label))
    key = new_key()
    forged = issued_by(new_key(), scep_label.issuer.certificate.subject, key)
    who = device(scep, key=key, certificate=forged)

    reply = replied(who, scep.send(who.message(kind, csr_der(key))))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)
    assert Version.objects.filter(device__startswith="scep/").count() == 1


def test_a_self_signed_certificate_renews_nothing(scep, scep_label, secret_for):
    enrolled(scep, secret_for(scep_label))
    who = device(scep)

    reply = replied(who, scep.send(who.message(17, csr_der(who.key))))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)


@pytest.mark.parametrize("bad", ["revoked", "expired", "blocked"])
def test_what_is_over_renews_nothing(scep, scep_label, secret_for, carol, bad):
    who, version = enrolled(scep, secret_for(scep_label))
    at = timezone.now()
    if bad == "revoked":
        certificates.services.revoke(version_id=version.pk, actor=carol, reason="superseded")
    elif bad == "blocked":
        services.block_device(actor=carol, device_id=Enrollment.objects.get().device_id)
    else:
        at = version.not_after + timedelta(seconds=1)
    with time_machine.travel(at, tick=False):
        reply = replied(who, scep.send(who.message(17, csr_der(new_key()))))

    assert (reply.status, reply.fail_info) == (FAILURE, BAD_REQUEST)


# --- GetCert, GetCRL ------------------------------------------------------------------------


@BY
def test_a_device_gets_its_own_certificate_and_no_other(scep, scep_label, secret_for, by):
    who, version = enrolled(scep, secret_for(scep_label))
    ca = scep_label.issuer.certificate
    others = scep_label.ra_certificate.current

    own = replied(who, scep.send(who.get_cert(ca, int(version.serial, 16)), by=by))
    other = replied(who, scep.send(who.get_cert(ca, int(others.serial, 16)), by=by))

    assert version.pem in {certs.pem(one) for one in own.certificates}
    assert (other.status, other.fail_info) == (FAILURE, BAD_CERT_ID)
    stranger = device(scep)
    body = stranger.get_cert(ca, int(version.serial, 16))
    assert replied(stranger, scep.send(body, by=by)).status == FAILURE


@BY
def test_the_crl_is_given_by_its_issuer_s_name(scep, scep_label, system, root_ca, by):
    published = certificates.crl.publish(issuer_id=scep_label.issuer.pk, actor=system)
    who = device(scep)

    reply = replied(who, scep.send(who.get_crl(scep_label.issuer.certificate, 1), by=by))
    other = replied(who, scep.send(who.get_crl(root_ca.certificate, 1), by=by))

    assert reply.crls == (bytes(published.der),)
    assert (other.status, other.fail_info) == (FAILURE, BAD_CERT_ID)
