"""Kinds of job as objects: what each must tell, and digests that outlive releases."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certificates.models import Certificate, Version
from deployments.models import Target
from issuers.models import Issuer, Profile
from jobs import approvals, services
from jobs.kinds import KINDS, kind_of
from jobs.kinds.at_target import AtTarget
from jobs.kinds.base import Kind
from jobs.models import Job
from jobs.services import DuplicateJob
from jobs.states import Status
from tests.factories import JobFactory
from tests.fixtures import PROFILE
from tests.jobs.conftest import LEASE

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def test_every_kind_of_job_is_in_the_table():
    assert set(KINDS) == set(Job.Kind)
    assert all(kind_of(Job(kind=name)).name == name for name in Job.Kind)


@pytest.mark.parametrize("left_out", ["inputs", "same_work", "prepare", "run", "keep"])
def test_a_kind_that_does_not_tell_its_inputs_cannot_be(left_out):
    """An approval of it would be bound to nothing."""
    told = {
        name: lambda self, *given: None
        for name in ("inputs", "same_work", "prepare", "run", "keep")
        if name != left_out
    }
    told["name"] = Job.Kind.REVOCATION

    with pytest.raises(TypeError, match=left_out):
        type("Careless", (Kind,), told)()


def row(number):
    return uuid.UUID(int=number)


@pytest.fixture
def certificate():
    profile = {**PROFILE, "fixed_subject": {"O": "Example"}, "required_sans": ["dns:*"]}
    return Certificate(
        pk=row(3),
        issuer=Issuer(
            pk=row(1),
            slug="issuing",
            kind="local",
            certificate_pem=(VECTORS / "ca.pem").read_text(),
        ),
        profile=Profile(pk=row(2), slug="tls", **profile),
        common_name="web.demo.internal",
        sans=["dns:web.demo.internal", "dns:b.demo.internal"],
    )


@pytest.fixture
def at_target():
    return {
        "version": Version(pk=row(5), fingerprint="ab" * 32),
        "target": Target(
            pk=row(4),
            name="web-1",
            kind="nginx",
            config={"certificate_path": "/etc/x.pem"},
            endpoint_host="web",
            endpoint_port=443,
            server_name="web.demo.internal",
        ),
    }


@pytest.fixture
def csr_pem():
    csr = x509.load_der_x509_csr((VECTORS / "csr.der").read_bytes())
    return csr.public_bytes(Encoding.PEM).decode()


def test_what_was_approved_by_an_older_release_stays_approved(certificate, at_target, csr_pem):
    """The digests are those that the release before kinds were objects gave."""
    jobs = {
        "17be63393d0eac30abfe5338bbb9ed21e8950a7211e00228554c18694759d4d7": Job(
            kind="Issuance", csr_pem=csr_pem
        ),
        "bd4f3e573c4061cad9157f02fef176a8a55af41b46f9b5da539e2de4fe90e40e": Job(
            kind="Renewal", csr_pem=csr_pem, lifetime=timedelta(days=7)
        ),
        "": Job(kind="Renewal"),
        "f1f25739467e968faa6d4088d8ef6e391fd6dfbceed2da3c4213dd0ba3ae70ec": Job(
            kind="Deployment", **at_target
        ),
        "3ac7fdfab0bd9143a37aeb534b407fd0d1377729694c85d35d32778d14f4a8db": Job(
            kind="Validation", **at_target
        ),
        "ec1ba095cb8c6ba98e297dc071fd4bdda435fa6b6688b24e8ead750a85337d08": Job(
            kind="Revocation", version=at_target["version"]
        ),
    }

    assert {digest: approvals.digest_of(job, certificate) for digest, job in jobs.items()} == {
        digest: digest for digest in jobs
    }


def test_the_inputs_are_hashed_whole(certificate, at_target):
    """Whatever a kind says decides: it cannot be left out of the hash."""

    class Chatty(type(kind_of(Job(kind="Deployment")))):
        def inputs(self, job, certificate):
            return {**super().inputs(job, certificate), "more": self.more}

    kind, digests = Chatty(), set()
    for kind.more in ("this", "that"):
        digests.add(kind.digest(Job(kind="Deployment", **at_target), certificate))

    assert len(digests) == 2
    assert isinstance(kind, AtTarget)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["Issuance", "Renewal"])
@pytest.mark.parametrize("newer", ["Issuance", "Renewal"])
def test_issuance_and_renewal_are_the_same_work(alice, system, kind, newer):
    job = JobFactory(kind=kind, max_attempts=1)
    (claimed,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    services.fail_job(job=claimed, actor=system, error=TimeoutError())
    JobFactory(kind=newer, certificate=job.certificate)

    with pytest.raises(DuplicateJob):
        services.retry_job(job_id=job.pk, actor=alice)


@pytest.mark.django_db
def test_work_at_another_target_is_other_work(issued, alice, system, target, watched_target):
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=target)
    (job,) = Job.objects.claim(limit=1, lease=LEASE, actor=system)
    services.fail_job(job=job, actor=system, error=TimeoutError())
    services.request_deployment(actor=alice, certificate_id=issued.pk, target=watched_target)
    services.request_validation(actor=alice, certificate_id=issued.pk, target=watched_target)

    assert services.retry_job(job_id=job.pk, actor=alice).status == Status.PENDING
