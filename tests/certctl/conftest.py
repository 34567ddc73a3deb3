"""Fixtures for tests that go through the whole API: its operations, and a row behind each."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from deployments.models import Target
from owners.models import ApiKey
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
    certificate = CertificateFactory(issuer=local_ca, profile=profile)
    version = VersionFactory(certificate=certificate, pem=local_ca.certificate_pem)
    return {
        "certificates": certificate,
        "versions": version,
        "renewal-policies": RenewalPolicyFactory(),
        "issuers": local_ca,
        "profiles": profile,
        "targets": Target.objects.create(name="web-1", kind=Target.Kind.FILE, config={}),
        "jobs": JobFactory(certificate=certificate, status="AwaitingApproval"),
        "owners": OwnerFactory(),
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
