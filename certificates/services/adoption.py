"""Taking over a CA adopts what it signed: versions that came into the inventory before it.

Until then they are "issued elsewhere": no door can revoke them, and OCSP says nothing of them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.services import Entry, record_many
from audit.use_cases import use_case
from certificates import queue
from certificates.models import Adoption, Certificate, Version
from certificates.services.lifecycle import settle
from certificates.services.old_crls import link
from issuers.models import Issuer
from issuers.x509 import certs
from issuers.x509.reading import is_signed_by
from owners.models import Principal

logger = logging.getLogger(__name__)
BATCH = 200


@dataclass(frozen=True, slots=True)
class Batch:
    """How many versions were adopted, and whether more are to be looked at now."""

    adopted: int = 0
    has_more: bool = False


def await_adoption(*, issuer: Issuer, actor: Principal) -> None:
    """Have the sweep adopt what the issuer signed, at once when the transaction is committed."""
    Adoption.objects.create(issuer=issuer, asked_by=actor)
    transaction.on_commit(queue.adopt)


def adopt_waiting(*, actor: Principal) -> int:
    """Adopt what every awaited adoption finds, in batches; return how many versions.

    It goes on where it was stopped: a batch and how far it got are one transaction. Without an
    awaited adoption it reads one empty table. Those of others go on where one fails.
    """
    adopted = 0
    for issuer_id in list(Adoption.objects.by_age().values_list("pk", flat=True)):
        batch = Batch(has_more=True)
        try:
            while batch.has_more:
                batch = adopt(issuer_id=issuer_id, actor=actor)
                adopted += batch.adopted
        except Exception:
            logger.exception("what issuer %s signed could not be adopted", issuer_id)
    return adopted


@use_case("certificate.adopt", on=Issuer)
def adopt(*, issuer_id: UUID, actor: Principal) -> Batch:
    """Put the next versions that the issuer's key signed under it, in one transaction.

    By signature, not by name. BATCH versions are looked at. What somebody else holds is left for
    the next look, and an adoption that another process is at is left to it.
    """
    issuer = Issuer.objects.get(pk=issuer_id)
    awaited = Adoption.objects.take(issuer)
    if awaited is None:
        return Batch()
    rows = Version.objects.issued_elsewhere(after=awaited.passed)
    page = list(rows.values_list("pk", "certificate_id", "pem")[:BATCH])
    signed = {
        version_id: certificate_id
        for version_id, certificate_id, pem in page
        if _is_signed(pem, issuer)
    }
    free = _lock(signed)
    adopted = _adopt(issuer, [pk for pk in signed if signed[pk] in free], free, awaited, actor)
    awaited.some_held |= any(key not in free for key in signed.values())
    if len(page) == BATCH:
        awaited.passed = page[-1][0]
        awaited.save(update_fields=["passed", "some_held"])
        return Batch(adopted, has_more=True)
    if awaited.some_held:
        # From the beginning, at the next sweep: by then they may be free.
        awaited.passed, awaited.some_held = None, False
        awaited.save(update_fields=["passed", "some_held"])
    else:
        awaited.delete()
    return Batch(adopted)


def _lock(signed: Mapping[UUID, UUID]) -> dict[UUID, Certificate]:
    # The row of the adoption is locked already, out of the house's order: nobody waits for it.
    free = Certificate.objects.select_for_update(no_key=True, skip_locked=True)
    return {row.pk: row for row in free.filter(pk__in=set(signed.values())).order_by("pk")}


def _adopt(
    issuer: Issuer,
    ids: list[UUID],
    certificates: Mapping[UUID, Certificate],
    awaited: Adoption,
    actor: Principal,
) -> int:
    entries = []
    # Read after the wait: who had the certificate may have put a version under its signer.
    versions = Version.objects.issued_elsewhere().select_for_update(no_key=True)
    for version in versions.filter(pk__in=ids):
        certificate = certificates[version.certificate_id]
        version.certificate = certificate
        if place_under(issuer, version):
            is_revoked = link(version, actor=actor)
            if is_revoked and certificate.current_id == version.pk:
                settle(certificate=certificate)
            entry = entry_of(version, issuer, actor, is_revoked=is_revoked)
            entry.data.update(_on_behalf_of(awaited.asked_by, actor))
            entries.append(entry)
    if entries:
        record_many(entries)
    return len(entries)


def _on_behalf_of(asked_by: Principal | None, actor: Principal) -> dict[str, Any]:
    if asked_by is None or asked_by == actor:
        return {}
    return {"on_behalf_of": asked_by.get_username(), "on_behalf_of_id": str(asked_by.pk)}


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
