"""A challenge lies nowhere that can be read: whatever becomes of the request that it came in.

alice makes challenges, bob decides, carol administers; victor reads all that there is to read.
"""

import base64
from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

import enrollment.services
from certificates.models import Version
from enrollment.models import Enrollment
from foundation.errors import ConnectorError
from issuers.x509 import certs
from issuers.x509 import csr as requests
from jobs import runner
from jobs import services as job_services
from jobs.kinds import kind_of
from jobs.models import REQUEST, Job
from jobs.services import csrs
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, everywhere
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
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db
FOREIGN = "correct-horsebatterystaple4711"  # nobody's credential
MIGRATION = ("jobs", "0013_seal_challenges")
PAGES = (
    "jobs/job",
    "certificates/version",
    "certificates/certificate",
    "enrollment/enrollment",
    "audit/event",
)
LISTS = ("jobs", "certificates", "enrollments", "audit", "labels", "devices", "credentials")


def at_rest():
    """Return all rows of all tables as they lie in the database, without blanks."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - its own name
            parts += [_bytes(value) for row in cursor.fetchall() for value in row]
    return b"\n".join(b"".join(part.replace(rb"\n", b"").split()) for part in parts)


def _bytes(value):
    if isinstance(value, memoryview | bytes | bytearray):
        return bytes(value)
    return str(value).encode()


def forms_of(secret):
    """Return how a text may be written: as it is, and in base64 and hexadecimal of more."""
    raw = secret.encode()
    for shift in range(3):
        # What is around it decides the first and the last digits.
        yield base64.b64encode(b"\0" * shift + raw)[4 : -(4 + shift) or None]
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode())


def lies_in(secret, haystack):
    return any(form in haystack for form in forms_of(secret))


@pytest.fixture
def nowhere(caplog, browse, client_of, victor):
    """Fail where a text lies in a row, a page, an answer or a line of the log."""
    caplog.set_level("DEBUG")

    def check(*secrets):
        seen = [
            at_rest(),
            everywhere().encode(),
            caplog.text.encode(),
            repr(caplog.records).encode(),
        ]
        web, api = browse(victor), client_of(victor)
        seen += [web.get(f"/admin/{page}/").content for page in PAGES]
        seen += [api.get(f"/api/v1/{name}/").content for name in LISTS]
        for version in Version.objects.all():
            seen.append(web.get(f"/admin/certificates/version/{version.pk}/change/").content)
        for job in Job.objects.all():
            seen.append(web.get(f"/admin/jobs/job/{job.pk}/change/").content)
            seen.append(api.get(f"/api/v1/jobs/{job.pk}/").content)
            seen.append(api.get(f"/api/v1/jobs/{job.pk}/review/").content)
        for secret in secrets:
            for part in {secret, secret.rpartition("-")[2]}:
                assert [content for content in seen if lies_in(part, content)] == []

    return check


def job_of(version=None):
    jobs = Job.objects.filter(device__startswith="scep/")
    return jobs.get() if version is None else jobs.get(version=version)


# --- The search itself ----------------------------------------------------------------------


@pytest.mark.parametrize("before", range(3))
def test_what_lies_in_a_request_is_found_there(before, scep_label):
    request = csr_der(new_key(), challenge=f"{'x' * before}{FOREIGN}")
    pem = base64.encodebytes(request).decode()
    assert not lies_in(FOREIGN, at_rest())

    for column, value in {"csr_pem": pem, "last_error": f"it was {FOREIGN}."}.items():
        Job.objects.update(**{column: value})
        assert lies_in(FOREIGN, at_rest())
        Job.objects.update(**{column: ""})
        assert not lies_in(FOREIGN, at_rest())


# --- At every state -------------------------------------------------------------------------


def test_a_challenge_is_nowhere_while_its_request_waits_nor_when_it_is_signed(
    scep, slow_scep_label, secret_for, bob, nowhere
):
    made, who = secret_for(slow_scep_label), device(scep)

    assert asks(scep, who, made.text).status == PENDING
    nowhere(made.text)
    assert job_of().csr_pem == ""
    assert requests.has_challenge(job_of().csr)  # it is there for who signs, sealed

    job_services.approve_job(job_id=job_of().pk, actor=bob)
    nowhere(made.text)
    assert runner.run_pending() == 1

    nowhere(made.text)
    assert (job_of().csr_pem, job_of().sealed_csr) == ("", None)
    assert Version.objects.get(device__gt="").csr_pem == ""
    assert asks(scep, who, made.text).status == SUCCESS


def test_nor_when_it_is_signed_at_once(scep, scep_label, secret_for, nowhere):
    made = secret_for(scep_label)

    assert asks(scep, device(scep), made.text).status == SUCCESS

    nowhere(made.text)
    assert job_of().csr == ""


@pytest.mark.parametrize("ends", ["rejected", "cancelled", "timed out", "blocked"])
def test_nor_when_nothing_comes_of_it(
    scep, slow_scep_label, secret_for, bob, carol, system, nowhere, ends
):
    made, who = secret_for(slow_scep_label), device(scep)
    assert asks(scep, who, made.text).status == PENDING
    job = job_of()

    if ends == "rejected":
        job_services.reject_job(job_id=job.pk, actor=bob, reason="not ours")
    elif ends == "cancelled":
        job_services.cancel_job(job_id=job.pk, actor=carol)
    elif ends == "blocked":
        enrollment.services.block_device(actor=carol, device_id=job.enrollment.device_id)
    else:
        with time_machine.travel(timezone.now() + timedelta(days=400), tick=False):
            job_services.time_out_waiting(actor=system)

    nowhere(made.text)
    assert (job_of().status, job_of().sealed_csr) == (Status.CANCELLED, None)
    assert asks(scep, who, made.text).status == FAILURE
    nowhere(made.text)


def test_nor_while_it_failed_and_may_be_tried_again(
    scep, scep_label, secret_for, carol, monkeypatch, nowhere
):
    made, who = secret_for(scep_label), device(scep)

    def refuse(*_):
        raise ConnectorError("The HSM is away.", permanent=True)

    with monkeypatch.context() as patched:
        patched.setattr("issuers.connectors.local.LocalCA.place", refuse)
        assert asks(scep, who, made.text).status == FAILURE
    job = job_of()
    assert (job.status, job.given_up) == (Status.FAILED, True)
    nowhere(made.text)

    # Somebody has it tried again: it is there to be signed.
    job_services.retry_job(job_id=job.pk, actor=carol)
    assert runner.run_pending() == 1
    nowhere(made.text)
    assert job_of().version is not None


@pytest.mark.parametrize("wrong", ["foreign", "expired", "blocked", "names", "profile"])
def test_nor_when_it_is_refused(scep, scep_label, secret_for, alice, nowhere, wrong):
    made = secret_for(scep_label, expires_at=timezone.now() + timedelta(hours=1))
    text = FOREIGN if wrong == "foreign" else made.text
    name = {"names": "other.demo.internal", "profile": "cam-1.elsewhere.test"}.get(wrong, DEVICE)
    if wrong == "blocked":
        enrollment.services.block_credential(actor=alice, credential_id=made.credential.pk)
    later = timedelta(hours=2 if wrong == "expired" else 0)

    with time_machine.travel(timezone.now() + later, tick=False):
        assert asks(scep, device(scep), text, name=name).status == FAILURE

    nowhere(text)
    assert not Enrollment.objects.exists()


def test_a_challenge_that_all_devices_share_is_nowhere_nor_when_it_comes_with_a_renewal(
    scep, make_scep_label, free_device_profile, secret_for, bob, nowhere
):
    label = make_scep_label(
        "routers", free_device_profile, accepts=["label-secret"], trust_shared=True
    )
    shared = secret_for(label, "", names=[], one_time=False)
    who = device(scep)
    reply = asks(scep, who, shared.text)
    assert reply.status == SUCCESS
    nowhere(shared.text)

    # Older clients send what they were once given, with every request.
    own = Version.objects.get(device__gt="")
    who.certificate = next(one for one in reply.certificates if certs.pem(one) == own.pem)
    who.transaction_id = "renewal"
    renewal = csr_der(new_key(), challenge=shared.text)
    assert replied(who, scep.post_message(who.message(17, renewal))).status == SUCCESS

    nowhere(shared.text)
    assert [version.csr_pem for version in Version.objects.filter(device__gt="")] == ["", ""]


# --- At the other doors ---------------------------------------------------------------------


def with_challenge(*, key=None, text=FOREIGN):
    """Return a request as `openssl req` makes it where somebody gave a challenge password."""
    request = csr_der(key or new_key(), challenge=text)
    body = base64.encodebytes(request).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


def test_a_refused_request_of_est_leaves_nothing_of_it(est, label, secret_for, nowhere):
    made = secret_for(label)
    for operation in ("simpleenroll", "serverkeygen"):
        answer = est.ask(operation, with_challenge(), secret=made.text)
        assert answer.status_code == 400
        assert FOREIGN not in answer.text

    nowhere(FOREIGN, made.text)
    assert not Job.objects.filter(device__gt="").exists()


@pytest.mark.parametrize("written", ["{}", "challengePassword        :" + FOREIGN + "\n{}"])
def test_a_program_s_challenge_is_sealed_too(
    client_of, alice, bob, profile, local_ca, owner, nowhere, written
):
    said = {"owner": owner.name, "issuer": local_ca.slug, "profile": profile.slug}
    csr = written.format(with_challenge())
    answer = client_of(alice).post(
        "/api/v1/certificates/",
        {**said, "csr": csr},
        format="json",
        headers={"Idempotency-Key": "once"},
    )
    assert answer.status_code == 201, answer.content
    job = Job.objects.get()
    nowhere(FOREIGN)
    assert job.csr == csr.strip()

    job_services.approve_job(job_id=job.pk, actor=bob)
    assert runner.run_pending() == 1

    nowhere(FOREIGN)
    assert Version.objects.get().csr_pem == ""


def test_nor_is_one_kept_that_a_job_waited_for(
    client_of, alice, free_profile, local_ca, owner, nowhere
):
    said = {"owner": owner.name, "issuer": local_ca.slug, "profile": free_profile.slug}
    answer = client_of(alice).post(
        "/api/v1/certificates/", {**said, "sans": [f"dns:{DEVICE}"]}, format="json"
    )
    assert answer.status_code == 201, answer.content
    job = Job.objects.get()
    assert job.status == Status.AWAITING_CSR

    given = client_of(alice).post(f"/api/v1/jobs/{job.pk}/csr/", {"csr": with_challenge()})

    assert given.status_code == 200, given.content
    assert Job.objects.get().key_fingerprint
    nowhere(FOREIGN)


def test_no_dump_has_it(scep, slow_scep_label, secret_for, tmp_path):
    made = secret_for(slow_scep_label)
    assert asks(scep, device(scep), made.text).status == PENDING

    with pytest.raises(CommandError, match="in no dump"):
        call_command("dumpdata", "jobs.Job", output=str(tmp_path / "dump.json"))
    call_command("dumpdata", exclude=["jobs", "issuers", "deployments", "certificates"],
                 output=str(tmp_path / "dump.json"))  # fmt: skip
    assert not lies_in(made.text, (tmp_path / "dump.json").read_bytes())


# --- What then holds ------------------------------------------------------------------------


def test_what_is_approved_is_bound_to_the_request_that_is_sealed(
    scep, slow_scep_label, secret_for, bob
):
    made = secret_for(slow_scep_label)
    assert asks(scep, device(scep), made.text).status == PENDING
    job = job_services.approve_job(job_id=job_of().pk, actor=bob)
    assert job.approved_digest
    other = with_challenge(text=made.text)

    Job.objects.filter(pk=job.pk).update(sealed_csr=REQUEST.of(job).seal(other.encode()))
    runner.run_pending()

    assert (job_of().status, job_of().version) == (Status.FAILED, None)
    assert "has changed since" in job_of().last_error


def test_whoever_decides_sees_the_key_before_and_after(
    scep, slow_scep_label, secret_for, bob, client_of
):
    made = secret_for(slow_scep_label)
    assert asks(scep, device(scep), made.text).status == PENDING
    job = job_of()
    path = f"/api/v1/jobs/{job.pk}/review/"
    before = client_of(bob).get(path).json()
    assert (before["key_algorithm"], before["key_size"]) == ("rsa", 2048)
    assert before["key_fingerprint"] == job.key_fingerprint

    job_services.approve_job(job_id=job.pk, actor=bob)
    runner.run_pending()

    after = client_of(bob).get(path).json()
    keys = ("key_algorithm", "key_size", "key_fingerprint")
    assert [after[name] for name in keys] == [before[name] for name in keys]


def test_a_rejected_one_still_says_whose_key_it_was(scep, slow_scep_label, secret_for, bob):
    assert asks(scep, device(scep), secret_for(slow_scep_label).text).status == PENDING
    job_services.reject_job(job_id=job_of().pk, actor=bob, reason="not ours")

    assert kind_of(job_of()).key(job_of()).fingerprint == job_of().key_fingerprint != ""


def test_a_sealed_request_does_not_open_in_another_job(scep, slow_scep_label, secret_for):
    assert asks(scep, device(scep), secret_for(slow_scep_label).text).status == PENDING
    job = job_of()
    other = Job.objects.exclude(pk=job.pk).first()
    other.sealed_csr = job.sealed_csr

    with pytest.raises(ConnectorError) as caught:
        _ = other.csr
    assert caught.value.permanent


def test_whoever_renews_for_a_device_is_told_to_bring_a_request(
    scep, scep_label, secret_for, bob, client_of
):
    assert asks(scep, device(scep), secret_for(scep_label).text).status == SUCCESS
    certificate = Enrollment.objects.get().certificate

    asked = client_of(bob).post(f"/api/v1/certificates/{certificate.pk}/renew/", {})

    assert asked.status_code in {200, 201, 202}, asked.content
    job = Job.objects.get(certificate=certificate, version=None)
    assert (job.status, job.last_error) == (Status.AWAITING_CSR, csrs.NOT_KEPT)


def test_of_requests_that_are_not_kept_the_key_is_compared(
    client_of, alice, bob, profile, local_ca, owner
):
    said = {"owner": owner.name, "issuer": local_ca.slug, "profile": profile.slug}
    key, client = new_key(), client_of(alice)

    def ask():
        answer = client.post("/api/v1/certificates/", {**said, "csr": with_challenge(key=key)})
        assert answer.status_code == 201, answer.content
        return answer.json()

    first, second = ask(), ask()
    assert "Another job asks for a certificate with the same key." in second["warnings"]
    job_services.approve_job(job_id=first["id"], actor=bob)
    runner.run_pending()

    review = client.get(f"/api/v1/jobs/{second['id']}/review/").json()
    assert "Its key was signed before: it is used again." in review["warnings"]


# --- What was stored before -----------------------------------------------------------------


def test_what_was_stored_before_is_sealed_or_dropped(
    scep, slow_scep_label, secret_for, bob, label, est
):
    made = secret_for(slow_scep_label)
    assert asks(scep, device(scep), made.text).status == PENDING
    waiting = job_of()
    csr = make_csr("cam-9.demo.internal")
    assert (
        est.ask("simpleenroll", csr, secret=secret_for(label, "cam-9.demo.internal").text)
        .status_code == 200
    )  # fmt: skip
    done = Job.objects.get(device__startswith="est/")
    old = with_challenge(text=made.text)
    Job.objects.filter(pk=waiting.pk).update(csr_pem=waiting.csr, sealed_csr=None)
    Job.objects.filter(pk=done.pk).update(csr_pem=old)
    ra = slow_scep_label.ra_certificate.current
    Version.objects.filter(pk=done.version_id).update(csr_pem=old)
    assert lies_in(made.text, at_rest())

    then = MigrationExecutor(connection).loader.project_state([MIGRATION]).apps
    import_module("jobs.migrations.0013_seal_challenges").seal(then, None)

    assert not lies_in(made.text, at_rest())
    waiting.refresh_from_db()
    assert requests.has_challenge(waiting.csr)
    done.refresh_from_db()
    assert (done.csr_pem, done.version.csr_pem, done.sealed_csr) == ("", "", None)
    ra.refresh_from_db()
    assert "BEGIN CERTIFICATE REQUEST" in ra.csr_pem
    job_services.approve_job(job_id=waiting.pk, actor=bob)
    runner.run_pending()
    assert Job.objects.get(pk=waiting.pk).status == Status.COMPLETED


def test_what_cannot_be_read_is_taken_for_one_that_holds_a_challenge():
    assert requests.has_challenge("?")
    assert not requests.has_challenge("")
    assert not requests.has_challenge(make_csr(DEVICE))
    assert requests.has_challenge(with_challenge().replace("\n", "\\n"))
    assert requests.has_challenge(with_challenge().replace("-----", "").replace("\n", " ")) is True
