"""A CA's certificate signed by another CA: what carries trust from an old key to a new one.

RFC 4210 §4.4 and RFC 7030 §4.1.3 call them OldWithNew and NewWithOld.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtensionOID

from issuers.x509 import certs, chains, raw
from issuers.x509.reading import is_signed_by
from issuers.x509.signing import authority_key_identifier, hash_for

# What speaks of who signs and where that is looked up: it is the other CA's here.
_OF_THE_SIGNER = {
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    ExtensionOID.FRESHEST_CRL,
}


def build(
    ca: x509.Certificate,
    *,
    signer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    pointers: certs.Pointers,
) -> x509.Certificate:
    """Sign the name, key and bounds of `ca` as they stand, for as long as both CAs are valid.

    Raises ValueError where they never are at the same time.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(ca.subject)
        .issuer_name(signer.subject)
        .public_key(ca.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(ca.not_valid_before_utc, signer.not_valid_before_utc))
        .not_valid_after(min(ca.not_valid_after_utc, signer.not_valid_after_utc))
        .add_extension(authority_key_identifier(signer), critical=False)
    )
    for extension in ca.extensions:
        if extension.oid not in _OF_THE_SIGNER:
            builder = builder.add_extension(extension.value, extension.critical)
    return certs.point(builder, pointers).sign(key, hash_for(key))


def problem(link: x509.Certificate, *, ca: x509.Certificate, signer: x509.Certificate) -> str:
    """Return why `link` does not say of `ca` what `signer` would; "" where it does."""
    if raw.subject(link) != raw.subject(ca) or raw.key(link) != raw.key(ca):
        return "it is of another name or key"
    if not chains.is_ca(link):
        return "it is no CA's certificate"
    if not is_signed_by(link, signer):
        return "the other CA did not sign it"
    return ""
