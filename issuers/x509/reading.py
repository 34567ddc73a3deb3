"""Certificates that others made, read whole: pyca reads most of one only when asked."""

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from issuers.x509 import raw

# All that pyca raises for a certificate or request that it cannot make sense of.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class Unreadable(ValueError):
    """It is no certificate, or one that nothing can be said of."""


def certificates(pem: str) -> list[x509.Certificate]:
    """Return the certificates in a PEM text; what stands between the blocks is ignored.

    Raises Unreadable for none at all and for any that is malformed in any part, so that nothing
    later fails on them.
    """
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode("ascii", "ignore"))
    except UNREADABLE as error:
        raise Unreadable(str(error)[:120]) from None
    for one in certificates:
        try:
            _ = one.version, one.serial_number, one.signature_algorithm_oid
            _ = one.subject.public_bytes(), one.issuer.public_bytes()
            _ = one.not_valid_before_utc, one.not_valid_after_utc
            _ = one.public_key(), list(one.extensions)
        except UNREADABLE as error:
            raise Unreadable(_old_string(one) or str(error)[:120]) from None
    return certificates


@lru_cache(maxsize=128)
def cas(pem: str) -> tuple[x509.Certificate, ...]:
    """Return what `certificates` does, remembered: for CAs, which few certificates are of."""
    return tuple(certificates(pem))


@lru_cache(maxsize=256)
def is_signed_by(certificate: x509.Certificate, ca: x509.Certificate | None) -> bool:
    """Whether the key of `ca` signed `certificate`, whose issuer has the name of `ca`.

    Remembered: every path ends in the same few CAs, which have signed each other.
    """
    if ca is None:
        return False
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def _old_string(certificate: x509.Certificate) -> str:
    try:
        kind = raw.old_string(raw.subject(certificate)) or raw.old_string(raw.issuer(certificate))
    except ValueError:
        return ""
    return f"a name in it is a {kind}, which is no text for certain; UTF8String is" if kind else ""
