"""What a revocation would hit, as the pages and answers that ask first show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from certificates.models import Version


@dataclass(frozen=True, slots=True)
class Affected:
    """One version that would be revoked."""

    version: UUID
    certificate: UUID
    name: str
    serial: str
    owner: str
    issuer: str
    deployments: int
    not_after: str


def affected(versions: QuerySet[Version]) -> list[Affected]:
    """Return what is shown of each of `versions`, in their order."""
    rows: Iterable[Version] = (
        versions.select_related("certificate__owner", "issuer")
        .defer("pem", "chain_pem", "csr_pem", "encrypted_key")
        # Deployments live above us: the relation is named by string.
        .annotate(served=Count("deployments", distinct=True))
    )
    return [
        Affected(
            version=version.pk,
            certificate=version.certificate_id,
            name=version.certificate.name,
            serial=version.serial,
            owner=version.certificate.owner.name,
            issuer=version.issuer.slug if version.issuer else "",
            deployments=getattr(version, "served", 0),
            not_after=version.not_after.isoformat(),
        )
        for version in rows
    ]
