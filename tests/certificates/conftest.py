"""Certificates that a real local CA signed."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from certificates import services
from certificates.details import Details
from certificates.models import Certificate
from issuers import services as issuer_services
from tests.factories import CertificateFactory, VersionFactory
from tests.fixtures import make_csr


@pytest.fixture
def issue(alice, owner, local_ca, free_profile):
    """Issue a certificate: `issue("web.demo.internal")` returns its version."""

    def make(
        name="web.demo.internal",
        *,
        profile=None,
        issuer=None,
        certificate=None,
        key=None,
        **options,
    ):
        profile, issuer = profile or free_profile, issuer or local_ca
        lifetime = options.pop("lifetime", None)
        csr_pem = make_csr(name, key=key)
        if certificate is None:
            certificate = services.register(
                actor=alice,
                details=Details(
                    name=name,
                    owner=options.pop("owner", owner),
                    issuer=issuer,
                    profile=profile,
                    **options,
                ),
                common_name=name,
                sans=[f"dns:{name}"],
            )
        signed = issuer_services.sign(
            issuer=issuer,
            profile=profile,
            csr_pem=csr_pem,
            common_name=name,
            sans=[f"dns:{name}"],
            lifetime=lifetime or timedelta(days=40),
        )
        with transaction.atomic():
            locked = Certificate.objects.lock(certificate.pk)
            return services.add_version(
                certificate=locked,
                signed=signed,
                origin=services.Origin(csr_pem=csr_pem),
                actor=alice,
            )

    return make


@pytest.fixture
def version(issue):
    return issue()


@pytest.fixture
def certificate(version):
    return version.certificate


@pytest.fixture
def revoked(local_ca, profile, bob):
    """Make a revoked version that ends in `days`."""

    def make(days=40, reason="unspecified", issuer=local_ca, **fields):
        certificate = CertificateFactory(issuer=issuer, profile=profile)
        version = VersionFactory(
            certificate=certificate, not_after=timezone.now() + timedelta(days=days), **fields
        )
        services.revoke(version_id=version.pk, actor=bob, reason=reason)
        return version

    return make
