"""An inventory as large as a list has to bear."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from certificates.models import Certificate, CertificateStatus, Version
from tests.factories import CertificateFactory, OwnerFactory, VersionFactory


def fill(count, *, owners=3):
    """Make `count` certificates, each with a version, of a few owners, the newest last."""
    first = VersionFactory(certificate=CertificateFactory(name="first.demo.internal"))
    model, version = first.certificate, first
    people = [OwnerFactory() for _ in range(owners)]
    now = timezone.now()
    certificates = [
        Certificate(
            name=f"host-{n:05}.demo.internal",
            common_name=f"host-{n:05}.demo.internal",
            sans=[f"dns:host-{n:05}.demo.internal"],
            owner=people[n % owners],
            issuer=model.issuer,
            profile=model.profile,
            environment=("production", "test")[n % 2],
            tags=["web"] if n % 4 == 0 else [],
            status=CertificateStatus.ACTIVE if n % 5 else CertificateStatus.EXPIRING,
            created_at=now + timedelta(seconds=n),
        )
        for n in range(count)
    ]
    versions = [
        Version(
            certificate=one,
            issuer=model.issuer,
            number=1,
            serial=f"{n + 4096:x}",
            subject=f"CN={one.name}",
            sans=one.sans,
            not_before=now - timedelta(days=1),
            not_after=now + timedelta(days=5 + n % 100),
            fingerprint=f"{n:064x}",
            key_fingerprint=f"{n:064x}",
            key_algorithm="ecdsa-p256",
            pem=version.pem,
        )
        for n, one in enumerate(certificates)
    ]
    with transaction.atomic():
        Certificate.objects.bulk_create(certificates)
        Version.objects.bulk_create(versions)
        for one, signed in zip(certificates, versions, strict=True):
            one.current = signed
        Certificate.objects.bulk_update(certificates, ["current"], batch_size=200)
    return certificates


@pytest.fixture
def inventory(db):
    """Make an inventory: `inventory(2000)`."""
    return fill
