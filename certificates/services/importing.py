"""Taking certificates into the inventory that no job of ours had signed."""

import re
from dataclasses import replace

from cryptography import x509
from django.db import IntegrityError, transaction

from audit.services import record, record_many
from audit.use_cases import use_case
from certificates.details import Details
from certificates.models import Certificate, Version
from certificates.services.adoption import entry_of, place_under
from certificates.services.lifecycle import Origin, register, settle, store_version
from certificates.services.old_crls import link
from foundation.errors import Conflict, FieldError, Invalid
from issuers.models import Issuer, Profile
from issuers.services import SignedCertificate, describe, signer_of
from issuers.services.profiles import CA_PROFILE
from issuers.x509 import certs, chains, reading
from owners.models import Owner, Principal

MAX_CERTIFICATES = 10
_MAX_SERIAL_BITS = 159  # 20 octets of DER, the first without its top bit (RFC 5280 §4.1.2.2)
_ANY_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", re.IGNORECASE)


class AlreadyImported(Conflict):
    """The very same certificate is in the inventory."""

    code = "already_imported"
    message = "This certificate is already in the inventory."


class SerialTaken(Conflict):
    """Another certificate of the same issuer has that serial (RFC 5280 §4.1.2.2: none may)."""

    code = "serial_taken"
    message = "Another certificate of this issuer has the same serial number."


class PrivateKeyIncluded(Invalid):
    """Somebody pasted a key; it is neither kept, logged nor audited."""

    code = "private_key_included"
    message = (
        "The text holds a private key. Nothing was stored; send certificates only, and consider"
        " the key as exposed."
    )


class MalformedCertificate(Invalid):
    """It is no PEM certificate, or its chain does not hold together."""

    code = "malformed_certificate"
    message = "This is not a PEM certificate."


@use_case("certificate.import")
def import_pem(*, actor: Principal, pem: str, details: Details) -> Certificate:
    """Put a certificate and its chain into the inventory.

    Where one of our own CAs signed it, CRL and OCSP speak for it from now on. Raises
    PrivateKeyIncluded, MalformedCertificate, AlreadyImported, SerialTaken.
    """
    leaf, chain = _parse(pem)
    signer = signer_of(leaf)
    chain_pem = "".join(certs.pem(one) for one in chain)
    if not chain_pem and signer is not None:
        chain_pem = signer.own_chain_pem
    signed = describe(leaf, chain_pem)
    if Version.objects.filter(fingerprint=signed.fingerprint).exists():
        raise AlreadyImported
    certificate = register(
        actor=actor,
        details=replace(details, name=details.name or _name_of(signed)),
        common_name=signed.common_name,
        sans=signed.sans,
    )
    version = _store_once(certificate, signed, signer, actor)
    record(
        actor=actor,
        action="certificate.import",
        subject=certificate,
        serial=version.serial,
        fingerprint=version.fingerprint,
        signed_by=signer.slug if signer else None,
        not_after=version.not_after.isoformat(),
    )
    if signer is None:
        _ask_again(version, leaf, actor)
    elif link(version, actor=actor):
        settle(certificate=certificate)
    return certificate


def _ask_again(version: Version, leaf: x509.Certificate, actor: Principal) -> None:
    # A CA may have been taken over since we looked. Now that we hold the trail we see it, or it
    # will see us: a take-over looks for what it signed after it has committed.
    signer = signer_of(leaf)
    if signer is not None and place_under(signer, version):
        is_revoked = link(version, actor=actor)
        if is_revoked:
            settle(certificate=version.certificate)
        record_many([entry_of(version, signer, actor, is_revoked=is_revoked)])


@transaction.atomic
def record_ca(*, actor: Principal, issuer: Issuer, owner: Owner) -> Certificate | None:
    """Put a subordinate CA's own certificate under its parent, so that it can be revoked.

    The parent's CRL and OCSP then speak for it. None for a CA whose parent is not ours: a root is
    not revoked by itself, and an enterprise's CA revokes what it signed. Idempotent.
    """
    if issuer.parent is None:
        return None
    signed = describe(issuer.certificate_pem, issuer.chain_pem)
    known = Version.objects.filter(fingerprint=signed.fingerprint).first()
    if known is not None:
        return known.certificate
    profile, _ = Profile.objects.get_or_create(
        slug=CA_PROFILE,
        defaults={
            "name": "CA certificates",
            "description": "What certctl's own CAs are listed under; nobody can request it.",
            "is_ca": True,
            "enabled": False,
            # No rules: what a CA's certificate says was decided where it was made.
            "key_algorithms": [],
            "key_usage": [],
            "extended_key_usage": [],
            "subject_attributes": [],
            "approval_required_for": [],
            "issues_nothing": True,
        },
    )
    certificate = register(
        actor=actor,
        details=Details(
            name=f"CA {issuer.slug}", owner=owner, issuer=issuer.parent, profile=profile
        ),
        common_name=signed.common_name,
    )
    version = _store_once(certificate, signed, issuer.parent, actor)
    if link(version, actor=actor):
        settle(certificate=certificate)
    return certificate


def _store_once(
    certificate: Certificate, signed: SignedCertificate, signer: Issuer | None, actor: Principal
) -> Version:
    # The unique fingerprint decides between two who import the same at once.
    try:
        with transaction.atomic():
            return store_version(
                certificate=certificate,
                signed=signed,
                issuer=signer,
                origin=Origin(requested_by=actor, csr_by=actor),
            )
    except IntegrityError as error:
        known = Version.objects.filter(fingerprint=signed.fingerprint).first()
        raise (SerialTaken if known is None else AlreadyImported) from error


def check_serial(leaf: x509.Certificate) -> None:
    """Raise MalformedCertificate for a serial number that no CA may give."""
    if leaf.serial_number <= 0 or leaf.serial_number.bit_length() > _MAX_SERIAL_BITS:
        raise _malformed("Its serial number is not 1 to 20 octets (RFC 5280 §4.1.2.2).")


def _parse(pem: str) -> tuple[x509.Certificate, list[x509.Certificate]]:
    if _ANY_KEY.search(pem):
        raise PrivateKeyIncluded
    try:
        # A paste often holds the text form too; what stands between the blocks is ignored.
        found = reading.certificates(pem)
    except reading.Unreadable as error:
        raise _malformed(
            f"This is not a PEM certificate, or not a well-formed one: {error}."
        ) from error
    if len(found) > MAX_CERTIFICATES:
        raise _malformed(f"At most {MAX_CERTIFICATES} certificates can be imported with a chain.")
    leaf, chain = _in_order(found)
    check_serial(leaf)
    return leaf, chain


def _in_order(found: list[x509.Certificate]) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        arranged = chains.arrange(found)
    except chains.NotOneChain as error:
        raise _malformed(str(error)) from None
    if arranged.extra:
        raise _malformed("The chain has a gap: some certificates did not sign the ones below.")
    return arranged.leaf, list(arranged.chain)


def _name_of(signed: SignedCertificate) -> str:
    first = signed.sans[0].partition(":")[2] if signed.sans else ""
    return (signed.common_name or first or signed.serial_hex)[:200]


def _malformed(detail: str) -> MalformedCertificate:
    return MalformedCertificate(detail, errors=[FieldError("pem", "malformed_certificate", detail)])
