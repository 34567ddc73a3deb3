"""Certificates (RFC 5280 §4): subscribers' and CAs', built and described."""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
    PublicKeyTypes,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from issuers.x509 import names
from issuers.x509.signing import authority_key_identifier, hash_for

NO_REV_AVAIL = x509.ObjectIdentifier("2.5.29.56")
KEY_USAGES = (
    "digitalSignature",
    "contentCommitment",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
EXTENDED_KEY_USAGES: dict[str, x509.ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
_CURVES = {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384", "secp521r1": "ecdsa-p521"}


@dataclass(frozen=True, slots=True)
class Pointers:
    """Where relying parties find an issuer's CRL, responder and certificate; "" for nowhere.

    `delta` is named by the CRL alone.
    """

    crl: str = ""
    ocsp: str = ""
    ca_issuers: str = ""
    delta: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a subscriber's certificate is to say; times with whole seconds."""

    public_key: CertificatePublicKeyTypes
    subject: x509.Name
    sans: Sequence[str]
    not_before: datetime
    not_after: datetime
    key_usage: Sequence[str] = ()
    extended_key_usage: Sequence[str] = ()
    pointers: Pointers = field(default_factory=Pointers)
    no_revocation: bool = False
    is_responder: bool = False


def build_leaf(
    contents: Contents, *, issuer: x509.Certificate, key: CertificateIssuerPrivateKeyTypes
) -> x509.Certificate:
    """Sign a subscriber's certificate with a random serial of 159 bits (BR 7.1).

    With `no_revocation` it carries noRevAvail and neither CDP nor an OCSP pointer (RFC 9608 §2).
    An OCSP responder's carries id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1; BR 7.1.2.8 MUST) and no
    pointer at all (RFC 9919 §3.2.1): who asks whether it is revoked would have to ask itself.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(contents.subject)
        .issuer_name(issuer.subject)
        .public_key(contents.public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(contents.not_before)
        .not_valid_after(contents.not_after)
        .add_extension(authority_key_identifier(issuer), critical=False)
        .add_extension(_ski(contents.public_key), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if contents.key_usage:
        builder = builder.add_extension(key_usage(contents.key_usage), critical=True)
    if contents.extended_key_usage:
        purposes = x509.ExtendedKeyUsage(extended(contents.extended_key_usage))
        # RFC 3161 §2.3: that of a time stamping service is critical, and has no other purpose.
        alone = list(purposes) == [ExtendedKeyUsageOID.TIME_STAMPING]
        builder = builder.add_extension(purposes, critical=alone)
    if contents.sans:
        # RFC 5280 §4.2.1.6: critical where the subject is empty.
        general = x509.SubjectAlternativeName(names.general_names(contents.sans))
        builder = builder.add_extension(general, critical=not list(contents.subject))
    if contents.is_responder:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    else:
        builder = point(builder, contents.pointers, no_revocation=contents.no_revocation)
    return builder.sign(key, hash_for(key))


def build_ca(  # noqa: PLR0913 - one argument a field
    *,
    public_key: CertificatePublicKeyTypes,
    subject: x509.Name,
    not_before: datetime,
    not_after: datetime,
    key: CertificateIssuerPrivateKeyTypes,
    issuer: x509.Certificate | None = None,
    path_length: int | None = None,
    permitted: Iterable[str] = (),
    pointers: Pointers | None = None,
) -> x509.Certificate:
    """Sign a CA certificate: self-signed without an `issuer`, else subordinate to it.

    `permitted` are name constraints such as "dns:example.com" or "ip:10.0.0.0/8".
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(
            key_usage(("keyCertSign", "cRLSign", "digitalSignature")), critical=True
        )  # digitalSignature: the CA signs its OCSP answers itself (BR 7.1.2.10.7)
        .add_extension(_ski(public_key), critical=False)
    )
    if issuer is not None:
        builder = builder.add_extension(authority_key_identifier(issuer), critical=False)
    subtrees = [subtree(text) for text in permitted]
    if subtrees:
        builder = builder.add_extension(
            x509.NameConstraints(permitted_subtrees=subtrees, excluded_subtrees=None),
            critical=True,
        )
    if pointers is not None:
        builder = point(builder, pointers, no_revocation=False)
    return builder.sign(key, hash_for(key))


def ca_request(
    *, key: CertificateIssuerPrivateKeyTypes, subject: x509.Name, path_length: int | None
) -> x509.CertificateSigningRequest:
    """Return the request (RFC 2986) of a CA below somebody else's: what `build_ca` would put in.

    None as path length asks for no limit; who signs decides on all of it (RFC 5280 §4.2.1.9).
    """
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(("keyCertSign", "cRLSign", "digitalSignature")), critical=True)
        .add_extension(_ski(key.public_key()), critical=False)
        .sign(key, hash_for(key))
    )


def key_algorithm_of(key: PublicKeyTypes) -> tuple[str, int | None]:
    """Return a public key's algorithm ("ecdsa-p256", "rsa", "ed25519", …) and size in bits."""
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, f"ecdsa-{key.curve.name}"[:16]), key.curve.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", 256
    if isinstance(key, ed448.Ed448PublicKey):
        return "ed448", 456
    return type(key).__name__.removesuffix("PublicKey").lower()[:16], None


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's DER in lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def key_fingerprint(key: PublicKeyTypes) -> str:
    """Return the SHA-256 of a SubjectPublicKeyInfo in lower-case hexadecimal."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return digest.finalize().hex()


def load(text: str) -> x509.Certificate:
    """Return the first certificate of a PEM text that is known to hold one."""
    return x509.load_pem_x509_certificate(text.encode())


def load_all(text: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text that is known to be well-formed; none of an empty."""
    return x509.load_pem_x509_certificates(text.encode()) if text.strip() else []


@lru_cache(maxsize=128)
def load_cas(text: str) -> tuple[x509.Certificate, ...]:
    """Return what `load_all` does, remembered: for CAs, which few certificates are of."""
    return tuple(load_all(text))


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def serial_hex(certificate: x509.Certificate) -> str:
    """Return the serial in lower-case hexadecimal, as the database stores it."""
    return format(certificate.serial_number, "x")


def lifetime_of(certificate: x509.Certificate) -> timedelta:
    """Return for how long a certificate is valid, both ends included (RFC 5280 §4.1.2.5)."""
    span = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return span + timedelta(seconds=1)


def key_usage(usages: Iterable[str]) -> x509.KeyUsage:
    """Return the extension for names as in RFC 5280 §4.2.1.3; raises ValueError."""
    wanted = set(usages)
    if wanted - set(KEY_USAGES):
        raise ValueError(f"unknown key usage: {', '.join(sorted(wanted - set(KEY_USAGES)))}")
    return x509.KeyUsage(
        digital_signature="digitalSignature" in wanted,
        content_commitment="contentCommitment" in wanted,
        key_encipherment="keyEncipherment" in wanted,
        data_encipherment="dataEncipherment" in wanted,
        key_agreement="keyAgreement" in wanted,
        key_cert_sign="keyCertSign" in wanted,
        crl_sign="cRLSign" in wanted,
        encipher_only="encipherOnly" in wanted,
        decipher_only="decipherOnly" in wanted,
    )


def usages_of(extension: x509.KeyUsage) -> list[str]:
    """Return the names of the usages that an extension has, as `key_usage` takes them."""
    agrees = extension.key_agreement  # the last two mean something with it alone
    values = {
        "digitalSignature": extension.digital_signature,
        "contentCommitment": extension.content_commitment,
        "keyEncipherment": extension.key_encipherment,
        "dataEncipherment": extension.data_encipherment,
        "keyAgreement": agrees,
        "keyCertSign": extension.key_cert_sign,
        "cRLSign": extension.crl_sign,
        "encipherOnly": agrees and extension.encipher_only,
        "decipherOnly": agrees and extension.decipher_only,
    }
    return [name for name, is_there in values.items() if is_there]


def extended(purposes: Iterable[str]) -> list[x509.ObjectIdentifier]:
    """Return OIDs for names ("serverAuth") or dotted OIDs; raises ValueError."""
    return [EXTENDED_KEY_USAGES.get(text) or _oid(text) for text in purposes]


def _oid(text: str) -> x509.ObjectIdentifier:
    try:
        return x509.ObjectIdentifier(text)
    except ValueError:
        raise ValueError(f"no extended key usage and no OID: {text!r}") from None


def _ski(key: CertificatePublicKeyTypes) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def subtree(text: str) -> x509.GeneralName:
    """Return a name constraint such as "dns:example.com" or "ip:10.0.0.0/8"; raises ValueError."""
    kind, _, value = text.partition(":")
    if kind == "ip":
        return x509.IPAddress(ipaddress.ip_network(value))
    # No leading dot: RFC 5280 §4.2.1.10 has none here, and verifiers differ on what it means.
    if kind == "dns" and names.is_dns_name(value.lower(), wildcard=False):
        return x509.DNSName(value)
    if kind == "email":
        return x509.RFC822Name(value)
    raise ValueError(f"not a name constraint: {text!r}")


def point(
    builder: x509.CertificateBuilder, pointers: Pointers, *, no_revocation: bool = False
) -> x509.CertificateBuilder:
    """Add where relying parties find what the signer publishes; or that it publishes nothing."""
    if no_revocation:
        # pyca has no class for it: the value is NULL, not critical (RFC 9608 §2).
        extension = x509.UnrecognizedExtension(NO_REV_AVAIL, b"\x05\x00")
        builder = builder.add_extension(extension, critical=False)
    elif pointers.crl:
        place = x509.DistributionPoint([_uri(pointers.crl)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
    access = []
    if pointers.ocsp and not no_revocation:
        access.append((AuthorityInformationAccessOID.OCSP, pointers.ocsp))
    if pointers.ca_issuers:
        access.append((AuthorityInformationAccessOID.CA_ISSUERS, pointers.ca_issuers))
    if access:
        described = [x509.AccessDescription(method, _uri(url)) for method, url in access]
        builder = builder.add_extension(x509.AuthorityInformationAccess(described), critical=False)
    return builder


def _uri(url: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(url)
