from tests.certificates.conftest import certificate, issue, version  # noqa: F401 - fixtures
from tests.processes import web  # noqa: F401 - a fixture
