"""Certification requests (RFC 2986): parsed with suspicion, and what they ask for."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from foundation.errors import FieldError, Invalid
from issuers.x509 import certs, names
from issuers.x509.reading import UNREADABLE

MAX_BYTES = 64 * 1024
MAX_RSA_BITS = 8192
_BLOCK = re.compile(
    # One class, once: a second run of blanks before it would make the search quadratic.
    rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)"
    rb"-----END (?:NEW )?CERTIFICATE REQUEST-----"
)
_WEAK = (hashes.MD5, hashes.SHA1)
# What a request may ask for; anything else that is critical cannot be ignored in good faith.
_UNDERSTOOD = {
    x509.SubjectAlternativeName.oid,
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectKeyIdentifier.oid,
}


class MalformedCSR(Invalid):
    """What was sent is no usable certification request."""

    code = "malformed_csr"
    message = "This is not a usable PKCS #10 certification request."

    def __init__(self, detail: str, code: str = "malformed_csr") -> None:
        super().__init__(detail, errors=[FieldError("csr", code, detail)])


@dataclass(frozen=True, slots=True)
class Requested:
    """What a request asks for."""

    subject: list[tuple[str, str]]
    sans: list[str]
    key_algorithm: str
    key_size: int | None
    wants_ca: bool
    critical_unknown: list[str]


def parse(data: str | bytes) -> x509.CertificateSigningRequest:
    """Parse a request in PEM or DER and check its signature, the proof of possession.

    Raises MalformedCSR for everything else: garbage, several requests, trailing data, an
    unsupported or weak algorithm, a bad signature.
    """
    der = _der(data.encode("utf-8", "replace") if isinstance(data, str) else data)
    try:
        csr = x509.load_der_x509_csr(der)
        key = csr.public_key()
        # Encodings that the parser reads lazily must fail here and not later.
        _ = csr.subject.public_bytes(), list(csr.extensions)
        digest = csr.signature_hash_algorithm
        _check_strength(key, digest)
        signature_holds = csr.is_signature_valid
    except UNREADABLE as error:
        raise MalformedCSR(f"The request cannot be read: {str(error)[:120]}.") from None
    if not signature_holds:
        raise MalformedCSR("The request's own signature is not valid.", "bad_signature")
    return csr


def requested(csr: x509.CertificateSigningRequest) -> Requested:
    """Return what `csr` asks for; raises MalformedCSR for names that no certificate may carry."""
    algorithm, size = certs.key_algorithm_of(csr.public_key())
    extensions = {extension.oid: extension for extension in csr.extensions}
    sans: list[str] = []
    try:
        if x509.SubjectAlternativeName.oid in extensions:
            found = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            sans = names.san_strings(found.value)
    except names.BadName as error:
        raise MalformedCSR(str(error), "bad_name") from None
    wants_ca = False
    if x509.BasicConstraints.oid in extensions:
        wants_ca = csr.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    if x509.KeyUsage.oid in extensions:
        usage = csr.extensions.get_extension_for_class(x509.KeyUsage).value
        wants_ca = wants_ca or usage.key_cert_sign or usage.crl_sign
    return Requested(
        subject=names.attributes(csr.subject),
        sans=sans,
        key_algorithm=algorithm,
        key_size=size,
        wants_ca=wants_ca,
        critical_unknown=[
            oid.dotted_string
            for oid, extension in extensions.items()
            if extension.critical and oid not in _UNDERSTOOD
        ],
    )


def _check_strength(key: PublicKeyTypes, digest: hashes.HashAlgorithm | None) -> None:
    # Before the signature is looked at: a huge key is slow to verify with.
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS:
        raise MalformedCSR(f"RSA keys over {MAX_RSA_BITS} bits are not accepted.", "key_too_large")
    if isinstance(digest, _WEAK):
        raise MalformedCSR(f"Requests signed with {digest.name} are not accepted.", "weak_hash")


def _der(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise MalformedCSR(f"A request may have {MAX_BYTES} bytes.", "too_large")
    if data[:1] == b"\x30":
        return data
    if b"PRIVATE KEY" in data:
        raise MalformedCSR(
            "There is a private key in this text: send only the request.", "private_key_sent"
        )
    blocks = _BLOCK.findall(data)
    if len(blocks) != 1:
        what = "several requests were" if blocks else "no CERTIFICATE REQUEST block was"
        raise MalformedCSR(f"Exactly one request is wanted; {what} found.")
    try:
        return b64decode(b"".join(blocks[0].split()), validate=True)
    except binascii.Error:
        raise MalformedCSR("The request's base64 is broken.") from None
