"""Certificate revocation lists (RFC 5280 §5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from issuers.x509.signing import authority_key_identifier, hash_for


@dataclass(frozen=True, slots=True)
class Entry:
    """One revoked certificate."""

    serial: int
    revoked_at: datetime
    reason: x509.ReasonFlags


def build(  # noqa: PLR0913 - one argument a field of the TBSCertList
    *,
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    number: int,
    this_update: datetime,
    next_update: datetime,
    entries: Iterable[Entry],
) -> x509.CertificateRevocationList:
    """Sign a complete CRL for `issuer`; fractions of seconds are dropped (RFC 5280 §5.1.2.4).

    There is no issuingDistributionPoint: the CRL is complete (BR 7.2.2.1). Raises ValueError for
    a number over 20 octets (RFC 5280 §5.2.3) or a nextUpdate before thisUpdate.
    """
    # The builder copies its list on each add_revoked_certificate, so we hand it all of them.
    # Without any, it leaves revokedCertificates out, as RFC 5280 §5.1.2.6 says.
    revoked = [_revoked(entry) for entry in entries]
    if not 0 <= number < 1 << 159:
        raise ValueError("a CRL number lies between 0 and 2^159 - 1")
    builder = (
        x509.CertificateRevocationListBuilder(revoked_certificates=revoked)
        .issuer_name(issuer.subject)
        .last_update(this_update.replace(microsecond=0))
        .next_update(next_update.replace(microsecond=0))
        .add_extension(authority_key_identifier(issuer), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    return builder.sign(key, hash_for(key))


def _revoked(entry: Entry) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(entry.serial)
        .revocation_date(entry.revoked_at.replace(microsecond=0))
    )
    # RFC 5280 §5.3.1: leave the extension out rather than say "unspecified".
    if entry.reason is not x509.ReasonFlags.unspecified:
        builder = builder.add_extension(x509.CRLReason(entry.reason), critical=False)
    return builder.build()
