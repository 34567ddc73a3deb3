"""A last look at what was signed, before anybody gets it (the idea of BR 4.3.1.2)."""

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from issuers.x509 import certs, names


def check_leaf(
    signed: x509.Certificate, wanted: certs.Contents, *, issuer: x509.Certificate
) -> list[str]:
    """Return what about `signed` is not as wanted, or not as RFC 5280 has it; [] where all is."""
    found = signed.extensions
    general = _value(found, x509.SubjectAlternativeName)
    basic = _value(found, x509.BasicConstraints)
    authority = _value(found, x509.AuthorityKeyIdentifier)
    there = {extension.oid for extension in found}
    revocable = {x509.CRLDistributionPoints.oid}
    rules = {
        "another key": signed.public_key() == wanted.public_key,
        "another subject": signed.subject.public_bytes() == wanted.subject.public_bytes(),
        "another issuer": signed.issuer.public_bytes() == issuer.subject.public_bytes(),
        "other names": sorted(names.san_strings(general) if general else []) == sorted(wanted.sans),
        "another validity": (signed.not_valid_before_utc, signed.not_valid_after_utc)
        == (wanted.not_before, wanted.not_after),
        "it is a CA": basic is not None and not basic.ca,
        "no authority key identifier": authority is not None
        and authority.key_identifier is not None,
        "a serial out of bounds": 0 < signed.serial_number < 1 << 159,
        "noRevAvail together with a CDP": not (certs.NO_REV_AVAIL in there and revocable & there),
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
