"""Fixtures for every app: three people and a viewer, their API clients, a CA and a profile."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client, TransactionTestCase
from rest_framework.test import APIClient

from owners import services as owner_services
from owners.models import Principal
from owners.roles import Role
from tests.factories import OwnerFactory, PrincipalFactory


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


# --- Emptying the database between transactional tests --------------------------------------
# The audit trail refuses to be emptied, in tests too; only the test suite's own flush may.

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # Django's own


def _teardown(self):
    with _triggers_off():
        _flush(self)


class _triggers_off:  # noqa: N801 - reads as a context manager
    def __enter__(self):
        connections.close_all()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
                return
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
                " AND tbl_name = 'audit_event'"
            )
            self.triggers = cursor.fetchall()
            for name, _ in self.triggers:
                cursor.execute(f"DROP TRIGGER {name}")

    def __exit__(self, *exc):
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
                return
            for _, sql in self.triggers:
                cursor.execute(sql)


TransactionTestCase._fixture_teardown = _teardown  # type: ignore[attr-defined]


# --- People: alice requests, bob decides, carol administers, victor reads -------------------


def person(username, role, **fields):
    """Return a human in the group of `role`."""
    principal = PrincipalFactory(username=username, is_staff=True, **fields)
    principal.groups.add(Group.objects.get_or_create(name=str(role))[0])
    return principal


@pytest.fixture
def alice(db):
    return person("alice", Role.OPERATOR)


@pytest.fixture
def bob(db):
    return person("bob", Role.OPERATOR)


@pytest.fixture
def carol(db):
    return person("carol", Role.ADMIN)


@pytest.fixture
def victor(db):
    return person("victor", Role.VIEWER)


@pytest.fixture
def system(db):
    return Principal.objects.system()


@pytest.fixture
def key_of(db):
    """Make an API key of a principal: `key_of(bob, role_cap="viewer")` gives the whole key."""

    def make(principal, *, role_cap=None, name=None, **options):
        role = role_cap or owner_services.role_of(principal) or Role.VIEWER
        count = principal.api_keys.count()
        _, whole = owner_services.issue_api_key(
            actor=Principal.objects.system(),
            principal=principal,
            name=name or f"{principal.username}-{count}",
            role_cap=role,
            **options,
        )
        return whole

    return make


@pytest.fixture
def client_of(key_of):
    """Make an API client that carries a real key of the principal."""

    def make(principal, **options):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {key_of(principal, **options)}")
        return client

    return make


@pytest.fixture
def browse(db):
    """Sign a principal in to the admin: `browse(bob)` is a client of theirs."""

    def log_in(principal):
        client = Client()
        client.force_login(principal, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


@pytest.fixture
def anonymous():
    return APIClient()


@pytest.fixture
def owner(db):
    """Somebody who answers for certificates, and is none of the four."""
    return OwnerFactory(name="web-shop", email="web-shop@owners.example")


# --- Keys and CSRs --------------------------------------------------------------------------


def new_key(algorithm="ecdsa-p256"):
    """Return a subscriber's private key."""
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(
        {"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1}[algorithm]()
    )


def make_csr(*names, key=None, common_name=None, sans=None):
    """Return a PEM CSR for DNS names; the first is the common name."""
    key = key or new_key()
    common_name = names[0] if common_name is None else common_name
    subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    general = sans if sans is not None else [x509.DNSName(name) for name in names]
    if general:
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    plain = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    csr = builder.sign(key, None if plain else hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture
def csr_for():
    return make_csr


# --- A CA and a profile ---------------------------------------------------------------------


@pytest.fixture
def root_ca(system):
    from issuers import services  # noqa: PLC0415 - only who asks for a CA needs it

    root = services.NewCA(
        slug="root",
        name="Test Root",
        common_name="Test Root CA",
        organization="Test",
        lifetime=timedelta(days=3650),
    )
    return services.create_local_ca(actor=system, ca=root)


@pytest.fixture
def local_ca(system, root_ca):
    from issuers import services  # noqa: PLC0415

    issuing = services.NewCA(
        slug="issuing",
        name="Test Issuing",
        common_name="Test Issuing CA",
        organization="Test",
        lifetime=timedelta(days=1825),
        parent=root_ca,
    )
    return services.create_local_ca(actor=system, ca=issuing)


PROFILE = {
    "name": "TLS server",
    "key_algorithms": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "ed25519"],
    "max_lifetime": timedelta(days=47),
    "key_usage": ["digitalSignature"],
    "extended_key_usage": ["serverAuth"],
    "allowed_sans": ["dns:*.demo.internal", "dns:demo.internal"],
    "subject_attributes": ["CN"],
}


@pytest.fixture
def profile(db):
    """A TLS server profile whose issuances and renewals need approval."""
    from issuers.models import Profile  # noqa: PLC0415

    return Profile.objects.create(
        slug="tls-server", approval_required_for=["Issuance", "Renewal"], **PROFILE
    )


@pytest.fixture
def free_profile(db):
    """The same without approval."""
    from issuers.models import Profile  # noqa: PLC0415

    return Profile.objects.create(slug="tls-free", approval_required_for=[], **PROFILE)


@pytest.fixture
def short_profile(db):
    """Certificates of thirty minutes: in no CRL and no OCSP."""
    from issuers.models import Profile  # noqa: PLC0415

    return Profile.objects.create(
        slug="short",
        approval_required_for=[],
        **{**PROFILE, "max_lifetime": timedelta(minutes=30)},
    )


# --- Hints ----------------------------------------------------------------------------------


@pytest.fixture
def hints(monkeypatch):
    """Collect the names of the tasks that would have been sent."""
    sent = []
    monkeypatch.setattr(
        "celery.app.base.Celery.send_task", lambda self, name, *args, **kwargs: sent.append(name)
    )
    return sent


@pytest.fixture(autouse=True)
def _no_broker(request, monkeypatch):
    """Keep tests from writing to a broker, unless they are about one (fixture `broker`)."""
    if "broker" in request.fixturenames or "hints" in request.fixturenames:
        return
    monkeypatch.setattr("celery.app.base.Celery.send_task", lambda *args, **kwargs: None)
