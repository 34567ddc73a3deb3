"""Taking over a CA adopts what it signed: versions that came into the inventory before it.

Until then they are "issued elsewhere": no door can revoke them, and OCSP says nothing of them.
"""

import logging
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.services import Entry, record_many
from audit.use_cases import use_case
from certificates.models import Certificate, Version
from certificates.services.lifecycle import settle
from certificates.services.old_crls import link
from issuers.models import Issuer
from issuers.x509 import certs
from issuers.x509.reading import is_signed_by
from owners.models import Principal

logger = logging.getLogger(__name__)
BATCH = 200


@use_case("certificate.adopt", on=Issuer, atomic=False)
def adopt(*, issuer_id: UUID, actor: Principal) -> int:
    """Put every stored version that the issuer's key signed under it; return how many.

    By signature, not by name. Each batch is a transaction of its own, so it may be run again.
    """
    issuer = Issuer.objects.get(pk=issuer_id)
    rows = Version.objects.filter(issuer__isnull=True).order_by("pk")
    signed = sorted(
        (certificate_id, version_id)
        for certificate_id, version_id, pem in rows.values_list(
            "certificate_id", "pk", "pem"
        ).iterator(chunk_size=BATCH)
        if _is_signed(pem, issuer)
    )
    return sum(
        _adopt(issuer, signed[begin : begin + BATCH], actor)
        for begin in range(0, len(signed), BATCH)
    )


@transaction.atomic
def _adopt(issuer: Issuer, ids: list[tuple[UUID, UUID]], actor: Principal) -> int:
    entries = []
    # In the order of keys, so that two who do this at once wait for each other and in no ring.
    for certificate_id, version_id in ids:
        certificate = Certificate.objects.lock(certificate_id)
        version = Version.objects.select_for_update(no_key=True).get(pk=version_id)
        version.certificate = certificate
        if version.issuer_id is None and place_under(issuer, version):
            is_revoked = link(version, actor=actor)
            if is_revoked and certificate.current_id == version.pk:
                settle(certificate=certificate)
            entries.append(entry_of(version, issuer, actor, is_revoked=is_revoked))
    if entries:
        record_many(entries)
    return len(entries)


def place_under(issuer: Issuer, version: Version) -> bool:
    """Say that the issuer signed the version; False where it has another one of that serial."""
    version.issuer = issuer
    try:
        with transaction.atomic():
            version.save(update_fields=["issuer"])
    except IntegrityError:
        version.issuer = None
        logger.warning(
            "%s signed two certificates of serial %s: %s stays issued elsewhere",
            issuer.slug,
            version.serial,
            version.pk,
        )
        return False
    return True


def entry_of(version: Version, issuer: Issuer, actor: Principal, *, is_revoked: bool) -> Entry:
    """Return the event that says so."""
    data = {
        "version": version.number,
        "version_id": str(version.pk),
        "serial": version.serial,
        "issuer": issuer.slug,
        "was_revoked": is_revoked,
    }
    return Entry(actor, "certificate.adopt", version.certificate, data)


def _is_signed(pem: str, issuer: Issuer) -> bool:
    try:
        return is_signed_by(certs.load(pem), issuer.certificate)
    except ValueError:
        return False  # a row that cannot be read keeps no other from being adopted
