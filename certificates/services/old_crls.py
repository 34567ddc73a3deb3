"""What a CA revoked before it was taken over: read from its old CRLs, and stated from then on.

An entry for a certificate that is here becomes that version's revocation; any other is kept by
issuer and serial (`SerialRevocation`), until a certificate with that serial comes.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from cryptography.x509 import ReasonFlags

from audit.services import record
from audit.use_cases import use_case
from certificates import answer_log, crl
from certificates.models import (
    Certificate,
    OCSPResponse,
    Reason,
    Revocation,
    SerialRevocation,
    Version,
)
from certificates.services.lifecycle import revoke_answers, settle
from foundation.errors import Conflict, FieldError, Invalid
from foundation.preconditions import as_expected
from issuers.models import Issuer
from issuers.services.authorities import MAX_CRL_NUMBER
from issuers.x509 import old_crl
from issuers.x509.crl import Entry
from issuers.x509.old_crl import MalformedCRL, OldCRL
from owners.models import Principal

MAX_CRLS = 20
BATCH = 500
NOTE = "On a CRL that the CA published before it was taken over."


class WrongCRL(Invalid):
    """The CRL is none that the issuer's revocations could be taken from."""

    code = "wrong_crl"


class NoCertificate(Conflict):
    """Whose CRL it is can be told by the CA's certificate alone."""

    code = "no_certificate"
    message = "This issuer's certificate is not known yet, so no CRL can be held against it."


@use_case("crl.import", on=Issuer)
def import_crls(*, actor: Principal, issuer_id: UUID, crls: Sequence[bytes | str]) -> Issuer:
    """Take over what CRLs of the issuer list, and its number; then publish one of our own.

    The CRLs (DER or PEM) must be signed by the issuer's key; none at all says that it never
    published one. What is recorded here already stays as it is.
    Raises WrongCRL, NoCertificate, NoRevocationService.
    """
    issuer = Issuer.objects.get(pk=issuer_id)
    if not crls and not issuer.awaits_crl:
        raise _wrong("Its revocations are known here: give CRLs.")
    old = checked(issuer, crls) if crls else []
    entries = _merged(old)
    with_certificate = _revoke_versions(issuer, entries, actor)
    # After certificates and versions, as everywhere.
    issuer = as_expected(actor, Issuer.objects.select_for_update(no_key=True).get(pk=issuer_id))
    take_in(issuer, old, entries=[one for one in entries if one.serial not in with_certificate],
            actor=actor, with_certificate=len(with_certificate))  # fmt: skip
    crl.publish(issuer_id=issuer.pk, actor=actor)
    issuer.refresh_from_db(fields=["crl_number"])
    return issuer


def checked(issuer: Issuer, crls: Sequence[bytes | str]) -> list[OldCRL]:
    """Return the CRLs, the oldest first; raises WrongCRL for any that is not the issuer's.

    One that says it is a part of several does not do alone: the others tell the rest.
    """
    if len(crls) > MAX_CRLS:
        raise _wrong(f"Give {MAX_CRLS} CRLs at most.")
    if issuer.certificate is None:
        raise NoCertificate
    old = []
    for data in crls:
        try:
            one = old_crl.read(data)
            one.check_signed_by(issuer.certificate)
        except MalformedCRL as error:
            raise _wrong(str(error)) from None
        if one.number is not None and one.number >= MAX_CRL_NUMBER:
            raise _wrong("Its number leaves no room for those to come (RFC 5280 §5.2.3).")
        old.append(one)
    if len(old) == 1 and old[0].is_partial:
        raise _wrong("This CRL is a part of several; give all of them.")
    return sorted(old, key=lambda one: (one.this_update, one.number or 0))


def take_in(
    issuer: Issuer,
    old: Sequence[OldCRL],
    *,
    actor: Principal,
    entries: Sequence[Entry] | None = None,
    with_certificate: int = 0,
) -> None:
    """Keep the entries that no certificate is here for, and go on with the number.

    The caller holds the issuer's lock. Without `entries` those are all that the CRLs list.
    """
    rest = _merged(old) if entries is None else entries
    SerialRevocation.objects.bulk_create(
        [_row(issuer, entry, actor) for entry in rest], batch_size=BATCH, ignore_conflicts=True
    )
    before = issuer.crl_number
    issuer.crl_number = max([before, *(one.number or 0 for one in old)])
    issuer.awaits_crl = False
    issuer.save(update_fields=["crl_number", "awaits_crl"])
    record(
        actor=actor,
        action="crl.import",
        subject=issuer,
        numbers=[one.number for one in old],
        sha256=[one.sha256 for one in old],
        this_update=[one.this_update.isoformat() for one in old],
        with_certificate=with_certificate,
        without_certificate=len(rest),
        crl_number={"before": before, "after": issuer.crl_number},
    )


def link(version: Version, *, actor: Principal) -> bool:
    """Make a version's revocation of what was revoked by its issuer and serial; say whether.

    The caller holds the locks of certificate and version, or has just made them.
    """
    row = (
        SerialRevocation.objects.select_for_update(no_key=True)
        .filter(issuer=version.issuer, serial=version.serial)
        .first()
    )
    if row is None or version.issuer is None:
        return False
    Revocation.objects.create(
        version=version,
        reason=_known(row.reason),
        revoked_at=row.revoked_at,
        invalid_since=row.invalid_since,
        revoked_by=actor,
        note=NOTE,
        listed_in=row.listed_in,
    )
    row.delete()
    answers = OCSPResponse.objects.filter(issuer=version.issuer, serial=version.serial)
    forms = list(answers.values_list("hash_algorithm", flat=True))
    answers.delete()
    answer_log.append([(version.issuer.pk, version.serial, forms)])
    return True


def _merged(old: Iterable[OldCRL]) -> list[Entry]:
    """Return one entry a serial, as the newest CRL has it.

    A hold that a newer complete CRL does not list was released; all else has merely expired.
    """
    merged: dict[int, Entry] = {}
    for one in old:
        listed = {entry.serial: entry for entry in one.entries}
        if not one.is_partial:
            merged = {
                serial: entry
                for serial, entry in merged.items()
                if serial in listed or entry.reason is not ReasonFlags.certificate_hold
            }
        merged |= listed
    return list(merged.values())


def _revoke_versions(issuer: Issuer, entries: Sequence[Entry], actor: Principal) -> set[int]:
    """Revoke the versions that are listed; return their serials, of those revoked before too."""
    by_serial = {f"{entry.serial:x}": entry for entry in entries}
    ids: list[tuple[UUID, UUID]] = []
    serials = list(by_serial)
    for begin in range(0, len(serials), BATCH):
        some = serials[begin : begin + BATCH]
        rows = Version.objects.filter(issuer=issuer, serial__in=some)
        ids += rows.values_list("certificate_id", "pk")
    done, revoked = set(), []
    # In the order of keys, so that two who do this at once wait for each other and in no ring.
    for certificate_id, version_id in sorted(ids):
        certificate = Certificate.objects.lock(certificate_id)
        version = Version.objects.select_for_update(no_key=True).get(pk=version_id)
        entry = by_serial[version.serial]
        done.add(entry.serial)
        if Revocation.objects.filter(version=version).exists():
            continue
        Revocation.objects.create(
            version=version,
            reason=_known(entry.reason.value),
            revoked_at=entry.revoked_at,
            invalid_since=entry.invalid_since,
            revoked_by=actor,
            note=NOTE,
        )
        revoked.append(version)
        if certificate.current_id == version.pk:
            settle(certificate=certificate)
    # At the end: no lock of a certificate may be waited for with that of the answers in hand.
    revoke_answers(revoked)
    return done


def _row(issuer: Issuer, entry: Entry, actor: Principal) -> SerialRevocation:
    row = SerialRevocation(
        issuer=issuer,
        serial=f"{entry.serial:x}",
        reason=entry.reason.value,
        revoked_at=entry.revoked_at,
        invalid_since=entry.invalid_since,
        recorded_by=actor,
    )
    row.fill()
    return row


def _known(reason: str) -> str:
    # aACompromise is about attribute authorities; of a certificate it says no more than this.
    return reason if reason in Reason.values else Reason.UNSPECIFIED


def _wrong(detail: str) -> WrongCRL:
    return WrongCRL(detail, errors=[FieldError("crl", "wrong_crl", detail)])
