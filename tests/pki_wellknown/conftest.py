from tests.certificates.conftest import certificate, issue, version  # noqa: F401 - fixtures
