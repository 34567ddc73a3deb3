"""A process that dies between two steps of an enrollment: the next try gets the one certificate."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.services import verify
from certificates.models import Version
from enrollment.models import Enrollment
from enrollment.states import Stand
from jobs import runner
from jobs import services as job_services
from jobs.models import Job
from jobs.states import Status
from tests.enrollment.conftest import DEVICE, ask_by
from tests.fixtures import make_csr
from tests.processes import ROOT, environment_of

pytestmark = pytest.mark.django_db(transaction=True)

# What a web process calls next when it dies, in the order of an enrollment in one transaction.
AT_ONCE = {
    "before it asks": "enrollment.services.asking.enroll",
    "before it asks for the job": "enrollment.services.enrolling.request_issuance",
    "after it asked": "enrollment.services.enrolling.sign_at_once",
    "before it signs": "issuers.services.sign",
    "while it keeps it": "certificates.services.add_version",
    "before it completes the job": "jobs.services.settle.finish",
    "before it saves the request": "enrollment.services.enrolling.insert",
    "before it notes who collects": "enrollment.services.enrolling.tell_collected",
    "before it tells the trail": "audit.services.insert_all",
    "after all was written, before the commit": "audit.use_cases.check_looked_at",
    "after the commit": "enrollment.services.asking.Answer",
}
# The same where something keeps it from being done with the asking.
WEB = {
    "before it asks": "enrollment.services.asking.enroll",
    "after it asked": "enrollment.services.asking.run_at_once",
    "after it claimed": "jobs.runner.run",
    "before it signs": "issuers.services.sign",
    "before it keeps what was signed": "jobs.services.complete",
    "while it keeps it": "certificates.services.add_version",
    "after it kept it": "enrollment.services.asking.answer_of",
    "before it notes who collects": "enrollment.services.asking.collected",
}
WORKER = {
    name: at for name, at in WEB.items() if at.startswith(("jobs", "issuers", "certificates"))
}
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
        timeout=60,
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
