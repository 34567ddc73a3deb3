"""Taking certificates into the inventory that no job of ours had signed."""

import re
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import IntegrityError, transaction

from audit.services import record
from certificates.models import Certificate, RenewalPolicy, Version
from certificates.services.lifecycle import register, store_version
from foundation.errors import Conflict, FieldError, Invalid
from issuers.models import SHORT_LIVED, Issuer, Profile
from issuers.services import SignedCertificate
from issuers.x509 import certs, chains, names, reading
from owners.models import Owner, Principal, Team

MAX_CERTIFICATES = 10
_MAX_SERIAL_BITS = 160  # 20 octets (RFC 5280 §4.1.2.2)
_ANY_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", re.IGNORECASE)


class AlreadyImported(Conflict):
    """The very same certificate is in the inventory."""

    code = "already_imported"
    message = "This certificate is already in the inventory."


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


@transaction.atomic
def import_pem(  # noqa: PLR0913 - keyword-only, one argument a fact
    *,
    actor: Principal,
    pem: str,
    owner: Owner,
    issuer: Issuer,
    profile: Profile,
    name: str = "",
    team: Team | None = None,
    renewal_policy: RenewalPolicy | None = None,
    environment: str = "",
    tags: Sequence[str] = (),
) -> Certificate:
    """Put a certificate and its chain into the inventory.

    `issuer` and `profile` are what it will be renewed with. Where one of our own CAs signed it,
    CRL and OCSP speak for it from now on. Raises PrivateKeyIncluded, MalformedCertificate,
    AlreadyImported.
    """
    leaf, chain = _parse(pem)
    signer = _signer_of(leaf)
    signed = _signed(leaf, chain, signer)
    if Version.objects.filter(fingerprint=signed.fingerprint).exists():
        raise AlreadyImported
    certificate = register(
        actor=actor,
        name=name or _name_of(leaf, signed),
        common_name=_common_name(leaf),
        sans=signed.sans,
        owner=owner,
        team=team,
        issuer=issuer,
        profile=profile,
        renewal_policy=renewal_policy,
        environment=environment,
        tags=tags,
    )
    version = _store_once(certificate, signed, signer)
    record(
        actor=actor,
        action="certificate.import",
        subject=certificate,
        serial=version.serial,
        fingerprint=version.fingerprint,
        signed_by=signer.slug if signer else None,
        not_after=version.not_after.isoformat(),
    )
    return certificate


@transaction.atomic
def record_ca(*, actor: Principal, issuer: Issuer, owner: Owner) -> Certificate | None:
    """Put a subordinate CA's own certificate under its parent, so that it can be revoked.

    The parent's CRL and OCSP then speak for it. None for a CA whose parent is not ours: a root is
    not revoked by itself, and an enterprise's CA revokes what it signed. Idempotent.
    """
    if issuer.parent is None:
        return None
    leaf = x509.load_pem_x509_certificate(issuer.certificate_pem.encode())
    chain = x509.load_pem_x509_certificates(issuer.chain_pem.encode())
    signed = _signed(leaf, chain, issuer.parent)
    known = Version.objects.filter(fingerprint=signed.fingerprint).first()
    if known is not None:
        return known.certificate
    profile, _ = Profile.objects.get_or_create(
        slug="ca",
        defaults={
            "name": "CA certificates",
            "description": "What certctl's own CAs are listed under; nobody can request it.",
            "is_ca": True,
            "enabled": False,
        },
    )
    certificate = register(
        actor=actor,
        name=f"CA {issuer.slug}",
        common_name=_common_name(leaf),
        owner=owner,
        issuer=issuer.parent,
        profile=profile,
    )
    _store_once(certificate, signed, issuer.parent)
    return certificate


def _store_once(
    certificate: Certificate, signed: SignedCertificate, signer: Issuer | None
) -> Version:
    # The unique fingerprint decides between two who import the same at once.
    try:
        with transaction.atomic():
            return store_version(certificate=certificate, signed=signed, issuer=signer)
    except IntegrityError as error:
        raise AlreadyImported from error


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
    return _in_order(found)


def _in_order(found: list[x509.Certificate]) -> tuple[x509.Certificate, list[x509.Certificate]]:
    try:
        arranged = chains.arrange(found)
    except chains.NotOneChain as error:
        raise _malformed(str(error)) from None
    if arranged.extra:
        raise _malformed("The chain has a gap: some certificates did not sign the ones below.")
    return arranged.leaf, list(arranged.chain)


def _signer_of(leaf: x509.Certificate) -> Issuer | None:
    # By signature, not by name: two CAs may have the same name and different keys.
    for issuer in Issuer.objects.exclude(certificate_pem=""):
        if chains.issued(x509.load_pem_x509_certificate(issuer.certificate_pem.encode()), leaf):
            return issuer
    return None


def _signed(
    leaf: x509.Certificate, chain: Iterable[x509.Certificate], signer: Issuer | None
) -> SignedCertificate:
    if leaf.serial_number <= 0 or leaf.serial_number.bit_length() > _MAX_SERIAL_BITS:
        raise _malformed("Its serial number is not 1 to 20 octets (RFC 5280 §4.1.2.2).")
    algorithm, size = certs.key_algorithm_of(leaf.public_key())
    chain_pem = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
    if not chain_pem and signer is not None:
        chain_pem = signer.certificate_pem.rstrip() + "\n" + signer.chain_pem
    return SignedCertificate(
        certificate_pem=leaf.public_bytes(Encoding.PEM).decode(),
        chain_pem=chain_pem,
        serial_hex=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        fingerprint=certs.fingerprint(leaf),
        key_fingerprint=certs.key_fingerprint(leaf.public_key()),
        key_algorithm=algorithm,
        key_size=size,
        subject=leaf.subject.rfc4514_string(),
        sans=_sans(leaf),
        short_lived=certs.lifetime_of(leaf) < SHORT_LIVED,
    )


def _sans(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    known = []
    for name in found.value:
        # Forms that certctl does not issue (otherName, an underscore) are shown as they are.
        try:
            known += names.san_strings([name])
        except names.BadName:
            known.append(names.shown(name))
    return known


def _common_name(leaf: x509.Certificate) -> str:
    found = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = str(found[0].value)[:64] if found else ""
    # Somebody else's certificate may say anything; what hides something is shown as a hole.
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def _name_of(leaf: x509.Certificate, signed: SignedCertificate) -> str:
    first = signed.sans[0].partition(":")[2] if signed.sans else ""
    return (_common_name(leaf) or first or signed.serial_hex)[:200]


def _malformed(detail: str) -> MalformedCertificate:
    return MalformedCertificate(detail, errors=[FieldError("pem", "malformed_certificate", detail)])
