import pytest

from certificates import crl
from tests.certificates.conftest import certificate, issue, version  # noqa: F401 - fixtures
from tests.processes import web  # noqa: F401 - a fixture


@pytest.fixture
def published(local_ca, system):
    return crl.publish(issuer_id=local_ca.pk, actor=system)
