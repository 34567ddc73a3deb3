"""A last look at what was signed, before anybody gets it (the idea of BR 4.3.1.2)."""

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import AuthorityInformationAccessOID

from issuers.x509 import certs, names
from issuers.x509.signing import authority_key_identifier


def check_leaf(
    signed: x509.Certificate, wanted: certs.Contents, *, issuer: x509.Certificate
) -> list[str]:
    """Return what about `signed` is not as wanted, or not as RFC 5280 has it; [] where all is."""
    found = signed.extensions
    general = _value(found, x509.SubjectAlternativeName)
    basic = _value(found, x509.BasicConstraints)
    authority = _value(found, x509.AuthorityKeyIdentifier)
    there = {extension.oid for extension in found}
    usage = _value(found, x509.KeyUsage)
    purposes = _value(found, x509.ExtendedKeyUsage)
    access = _value(found, x509.AuthorityInformationAccess)
    points_to_ocsp = any(
        one.access_method == AuthorityInformationAccessOID.OCSP for one in access or ()
    )
    revocable = x509.CRLDistributionPoints.oid in there or points_to_ocsp
    rules = {
        "another key": signed.public_key() == wanted.public_key,
        "another subject": signed.subject.public_bytes() == wanted.subject.public_bytes(),
        "another issuer": signed.issuer.public_bytes() == issuer.subject.public_bytes(),
        "other names": sorted(names.san_strings(general) if general else []) == sorted(wanted.sans),
        "other key usages": usage
        == (certs.key_usage(wanted.key_usage) if wanted.key_usage else None),
        "other purposes": list(purposes or []) == certs.extended(wanted.extended_key_usage),
        "another validity": (signed.not_valid_before_utc, signed.not_valid_after_utc)
        == (wanted.not_before, wanted.not_after),
        "it outlives its issuer": signed.not_valid_after_utc <= issuer.not_valid_after_utc,
        "it is a CA": basic is not None and not basic.ca,
        "another authority key identifier": authority == authority_key_identifier(issuer),
        "a serial out of bounds": 0 < signed.serial_number < 1 << 159,
        "noRevAvail together with a CDP or an OCSP pointer": not (
            certs.NO_REV_AVAIL in there and revocable
        ),
        "noRevAvail wrong": (certs.NO_REV_AVAIL in there) == wanted.no_revocation,
    }
    problems = [what for what, holds in rules.items() if not holds]
    try:
        signed.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        problems.append("a signature that does not verify")
    return problems


T = TypeVar("T", bound=x509.ExtensionType)


def _value(found: x509.Extensions, kind: type[T]) -> T | None:
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
