"""A process that dies between two steps of an enrollment: the next try gets the one certificate."""

import base64
import http.client
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from cryptography import x509
from django.utils import timezone

from audit.services import verify
from certificates.models import Version
from enrollment.cms import bags
from enrollment.models import Enrollment, Label
from enrollment.states import Stand
from issuers.x509 import certs
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, ask_by
from tests.enrollment.est_client import basic, body_of
from tests.enrollment.scep_client import Device, self_signed
from tests.enrollment.scep_door import SUCCESS, csr_der
from tests.enrollment.scep_door import new_key as new_rsa_key
from tests.enrollment.steps import AT_ONCE, WEB, WORKER, of_door
from tests.fixtures import make_csr
from tests.processes import ROOT, environment_of, kill, until

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 120  # seconds: what is slow on a busy machine is not what is looked for here

PROGRAM = """
import os, signal, sys
from unittest import mock
import django
django.setup()
mock.patch(sys.argv[1], lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)).start()
"""
NOT_AT_ONCE = """
mock.patch("enrollment.services.enrolling.sign_at_once", lambda **_: None).start()
"""
ASK = """
from uuid import UUID
from audit.via import Door, Via
from enrollment.models import Label
from enrollment.services import Caller, asking
label = Label.objects.select_related("principal").get(path=sys.argv[2])
label.principal.via = Via(door=Door.EST)
asking.ask(
    actor=label.principal,
    label_id=label.pk,
    caller=Caller(credential=UUID(sys.argv[3])),
    csr_pem=sys.stdin.read(),
)
"""
WORK = """
from jobs import runner
runner.run_pending()
"""


def die(folder, program, *arguments, stdin=""):
    """Run a program that kills itself on its way, by SIGKILL."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM + program, *arguments],
        cwd=ROOT,
        env=environment_of(folder),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]


def until_the_lease_is_over(system):
    """Let the time pass that a claim and a retry take, as beat and a worker would."""
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(status=Status.RUNNING).update(lease_until=long_ago)
    job_services.fail_abandoned(actor=system)
    Job.objects.filter(status=Status.FAILED).update(scheduled_at=long_ago)
    job_services.retry_failed(actor=system)


@pytest.mark.parametrize("at", AT_ONCE.values(), ids=AT_ONCE)
def test_a_web_server_that_is_killed_while_it_signs_at_once_leaves_all_or_nothing(
    label, secret_for, tmp_path, at
):
    made, csr = secret_for(label), make_csr(DEVICE)

    die(tmp_path, ASK, at, label.path, str(made.credential.pk), stdin=csr)
    is_committed = at.endswith(".Answer")
    assert Version.objects.count() == Job.objects.count() == is_committed

    assert ask_by(label, made, csr).stand is Stand.ISSUED
    assert Version.objects.count() == Enrollment.objects.count() == Job.objects.count() == 1
    assert verify()[1] is None


@pytest.mark.parametrize("at", WEB.values(), ids=WEB)
def test_a_web_server_that_is_killed_leaves_one_certificate_to_the_next_try(
    label, secret_for, system, tmp_path, at
):
    made, csr = secret_for(label), make_csr(DEVICE)

    die(tmp_path, NOT_AT_ONCE + ASK, at, label.path, str(made.credential.pk), stdin=csr)
    assert ask_by(label, made, csr).stand in {Stand.WAITING, Stand.ISSUED}
    until_the_lease_is_over(system)

    assert ask_by(label, made, csr).stand is Stand.ISSUED
    assert Version.objects.count() == Enrollment.objects.count() == Job.objects.count() == 1


@pytest.mark.parametrize("at", WORKER.values(), ids=WORKER)
def test_a_worker_that_is_killed_leaves_one_certificate_to_the_next_try(
    slow_label, secret_for, system, bob, tmp_path, at
):
    made, csr = secret_for(slow_label), make_csr(DEVICE)
    job = ask_by(slow_label, made, csr).enrollment.job
    job_services.approve_job(job_id=job.pk, actor=bob)

    die(tmp_path, WORK, at)
    assert ask_by(slow_label, made, csr).stand is Stand.WAITING
    until_the_lease_is_over(system)
    assert runner.run_pending() == 1

    assert ask_by(slow_label, made, csr).stand is Stand.ISSUED
    assert Version.objects.count() == 1


# --- Through the web server that runs in production, killed while a device waits ------------


class Est:
    """A device that asks by EST, through a TLS front that is believed."""

    def __init__(self, web, label, made, name):
        self.web, self.path = web, f"/.well-known/est/{label.path}/simpleenroll"
        self.csr, self.secret = make_csr(name), made.text

    def try_once(self):
        """Ask; what the device holds then: a certificate's fingerprint, or None while it waits."""
        headers = {
            "Content-Type": "application/pkcs10",
            "X-Forwarded-Proto": "https",
            "Authorization": basic(self.secret),
            "User-Agent": "device",
        }
        status, _, body = self.web.ask(
            self.path, body=body_of(self.csr), headers=headers, timeout=PATIENCE
        )
        assert status in {200, 202}, body
        if status == 202:
            return None
        (certificate,) = bags.parse(base64.b64decode(body)).certificates
        return certs.fingerprint(certificate)


class Scep:
    """A device that asks by SCEP, over plain http."""

    def __init__(self, web, label, made, name):
        self.web, self.path = web, f"/scep/{label.path}"
        _, _, body = web.ask(f"{self.path}?operation=GetCACert")
        ra = next(one for one in bags.parse(body).certificates if can_encrypt(one))
        key = new_rsa_key()
        self.device = Device(ra, key, self_signed(key, name), transaction_id=name)
        self.message = self.device.pkcs_req(request=csr_der(key, name=name, challenge=made.text))

    def try_once(self):
        """Ask; what the device holds then: a certificate's fingerprint, or None while it waits."""
        status, _, body = self.web.ask(
            f"{self.path}?operation=PKIOperation", body=self.message, timeout=PATIENCE
        )
        assert status == 200, body
        reply = self.device.read(body)
        assert reply.fail_info is None, reply.words
        if reply.status != SUCCESS:
            return None
        held = self.device.key.public_key()
        (own,) = (one for one in reply.certificates if one.public_key() == held)
        return certs.fingerprint(own)


DOORS = {"est": Est, "scep": Scep}


@pytest.fixture
def mortal(web, tmp_path, local_ca, carol):
    """Start web servers of one process, which dies where the file says; and that file.

    Each is used for one death: granian itself ends where a process dies soon after it was
    replaced, and whoever watches over it (`serve`, systemd) starts it again.
    """
    file = tmp_path / "dies-at"

    def start():
        return web(
            application="tests.enrollment.dying:application",
            CERTCTL_TEST_DIES_AT=str(file),
            CERTCTL_TLS_FRONTS="127.0.0.1",
        )

    return start, file


def dies(device):
    """Whether the server died on the device that asked it."""
    try:
        device.try_once()
    except (OSError, http.client.HTTPException):
        return True
    return False


def at_last(device, step):
    """Ask until a server answers: the one that died is being replaced."""
    answers, errors = [], set()

    def is_answered():
        try:
            answers.append(device.try_once())
        except (OSError, http.client.HTTPException) as error:
            errors.add(repr(error))
            return False
        return True

    assert until(is_answered, seconds=PATIENCE), (step, errors)
    return answers[0]


@pytest.mark.takes(25)
@pytest.mark.parametrize("protocol", DOORS)
def test_a_server_that_is_killed_at_any_step_leaves_the_device_its_one_certificate(
    mortal, make_label, free_device_profile, secret_for, system, protocol
):
    start, file = mortal
    label = made_by(make_label, free_device_profile, protocol)
    server = start()
    for number, (step, at) in enumerate(of_door(protocol).items()):
        name = f"cam-{number}.demo.internal"
        device = DOORS[protocol](server, label, secret_for(label, name), name)
        file.write_text(at)

        assert dies(device), step
        assert not file.exists(), step
        kill(server.process)
        server = device.web = start()
        at_last(device, step)
        until_the_lease_is_over(system)

        held = at_last(device, step)
        (version,) = Version.objects.filter(certificate__enrollments__device__name=name)
        assert held == version.fingerprint, step
        assert Enrollment.objects.filter(device__name=name).count() == 1, step
        assert Job.objects.filter(certificate=version.certificate_id).count() == 1, step


@pytest.mark.takes(25)
@pytest.mark.parametrize("protocol", DOORS)
def test_a_worker_that_is_killed_after_an_approval_leaves_the_device_its_one_certificate(
    web, make_label, device_profile, secret_for, system, bob, tmp_path, protocol
):
    server = web(CERTCTL_TLS_FRONTS="127.0.0.1")
    label = made_by(make_label, device_profile, protocol)
    for number, (step, at) in enumerate(WORKER.items()):
        name = f"cam-{number}.demo.internal"
        device = DOORS[protocol](server, label, secret_for(label, name), name)
        assert device.try_once() is None, step
        job = Job.objects.get(enrollment__device__name=name)
        job_services.approve_job(job_id=job.pk, actor=bob)

        die(tmp_path, WORK, at)
        until_the_lease_is_over(system)
        assert runner.run_pending() == 1, step

        (version,) = Version.objects.filter(certificate__enrollments__device__name=name)
        assert at_last(device, step) == version.fingerprint, step


def made_by(make_label, profile, protocol):
    """Make a label, and sign the RA certificate of a SCEP one."""
    label = make_label("gear", profile, protocol=protocol)
    runner.run_pending()
    return Label.objects.get(pk=label.pk)


def can_encrypt(certificate):
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    return usage.key_encipherment
