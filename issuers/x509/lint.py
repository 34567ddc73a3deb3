"""A last look at what was signed, before anybody gets it (the idea of BR 4.3.1.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

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
        "nocheck wrong": (x509.OCSPNoCheck.oid in there) == wanted.is_responder,
        "a responder's pointers": not (wanted.is_responder and (revocable or access)),
    }
    rules["a signature that does not verify"] = _is_signed_by(signed, issuer)
    return [problem for problem, holds in rules.items() if not holds]


# CAs set notBefore back for clocks that are behind; and theirs need not be ours.
BACKDATING = timedelta(hours=1)
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Asked:
    """What any CA was asked for; what it may decide by itself is not in it."""

    public_key: PublicKeyTypes
    subject: x509.Name
    sans: Sequence[str]
    lifetime: timedelta
    key_usage: Sequence[str]
    extended_key_usage: Sequence[str]


def check_received(
    received: x509.Certificate, asked: Asked, *, chain: Sequence[x509.Certificate], now: datetime
) -> list[str]:
    """Return what about `received` is not as asked for; [] where all is.

    `chain` begins with the certificate of whoever signed it. A CA may leave out attributes of the
    subject, and may let it end sooner; it may not let it live longer, be for other names or other
    uses, or certify another key. Raises one of `reading.UNREADABLE` for what cannot be read.
    """
    extensions = received.extensions
    general = _value(extensions, x509.SubjectAlternativeName)
    basic = _value(extensions, x509.BasicConstraints)
    usage = _value(extensions, x509.KeyUsage)
    purposes = _value(extensions, x509.ExtendedKeyUsage)
    rules = {
        "another key": received.public_key() == asked.public_key,
        "other names": set(names.san_strings(general) if general else []) == set(asked.sans),
        "another common name": _common_names(received.subject) <= _may_be_common_name(asked),
        "other key usages": usage
        == (certs.key_usage(asked.key_usage) if asked.key_usage else None),
        "other purposes": set(purposes or []) == set(certs.extended(asked.extended_key_usage)),
        "it is a CA": basic is None or not basic.ca,
        "it is not valid yet": received.not_valid_before_utc <= now + CLOCKS_APART,
        "it has ended": now < received.not_valid_after_utc,
        "it lives longer": received.not_valid_after_utc <= now + asked.lifetime + CLOCKS_APART
        and certs.lifetime_of(received) <= asked.lifetime + BACKDATING,
        "a signature that is not its chain's": bool(chain) and _is_signed_by(received, chain[0]),
    }
    return [problem for problem, holds in rules.items() if not holds]


def _common_names(subject: x509.Name) -> set[str]:
    names_ = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {str(attribute.value).lower() for attribute in names_}


def _may_be_common_name(asked: Asked) -> set[str]:
    # Some CAs put the first name there where none was asked for (BR 7.1.4.3 allows that).
    return _common_names(asked.subject) | {san.partition(":")[2].lower() for san in asked.sans}


def _is_signed_by(received: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        received.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


T = TypeVar("T", bound=x509.ExtensionType)


def _value(found: x509.Extensions, kind: type[T]) -> T | None:
    try:
        return found.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
