"""Fixtures for tests that go through the whole API: its operations, and a row behind each."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from agents.services import create_token
from deployments.models import Agent, Target
from enrollment.models import Enrollment
from enrollment.services import NewCredential, create_credentials, create_label
from owners.models import ApiKey
from revocation.services import create_plan
from tests.factories import (
    CertificateFactory,
    JobFactory,
    OwnerFactory,
    RenewalPolicyFactory,
    TeamFactory,
    VersionFactory,
)
from tests.jobs.conftest import ask, issued  # noqa: F401 - pytest finds them here


@pytest.fixture(scope="session")
def api():
    """The OpenAPI schema, as a document."""
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="session")
def operations(api):
    """Every operation of the API: (method, path, description)."""
    return [
        (method, path, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/") and not path.endswith("/schema/")
    ]


@pytest.fixture
def rows(carol, client_of, local_ca, profile):
    """One row of each kind, by the first part of its address."""
    client_of(carol)
    owner = OwnerFactory()
    label = create_label(
        actor=carol, protocol="est", path="cams", issuer=local_ca, profile=profile, owner=owner
    )
    wanted = NewCredential(device="cam-1", names=["dns:cam-1.demo.internal"])
    (made,) = create_credentials(actor=carol, label_id=label.pk, wanted=[wanted])
    certificate = CertificateFactory(issuer=local_ca, profile=profile)
    version = VersionFactory(certificate=certificate, pem=local_ca.certificate_pem)
    job = JobFactory(certificate=certificate, status="AwaitingApproval")
    return {
        "agents": Agent.objects.create(name="edge-1"),
        "agent-tokens": create_token(actor=carol, name="edge-2").token,
        "certificates": certificate,
        "versions": version,
        "renewal-policies": RenewalPolicyFactory(),
        "issuers": local_ca,
        "profiles": profile,
        "targets": Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={}),
        "jobs": job,
        "enrollment-labels": label,
        "enrollment-devices": made.credential.device,
        "enrollment-credentials": made.credential,
        "enrollments": Enrollment.objects.create(
            label=label, device=made.credential.device, certificate=certificate, job=job
        ),
        "revocation-plans": create_plan(actor=carol, criteria={"profile": profile.slug}),
        "owners": owner,
        "teams": TeamFactory(),
        "principals": carol,
        "api-keys": ApiKey.objects.first(),
    }


@pytest.fixture
def address(rows):
    """Put the row's id into a path of the schema."""

    def put(path):
        if "{id}" not in path and "{version}" not in path:
            return path
        row = rows.get(path.split("/")[3])
        return path.replace("{id}", str(row.pk) if row else "1").replace(
            "{version}", str(rows["versions"].pk)
        )

    return put
