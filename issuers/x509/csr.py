"""Certification requests (RFC 2986): parsed with suspicion, and what they ask for."""

import binascii
import codecs
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from foundation.errors import FieldError, Invalid
from issuers.x509 import certs, der, names, raw
from issuers.x509.reading import UNREADABLE
from issuers.x509.signing import verify

MAX_BYTES = 64 * 1024
MAX_RSA_BITS = 8192
_BLOCK = re.compile(
    # One class, once: a second run of blanks before it would make the search quadratic.
    r"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)"
    r"-----END (?:NEW )?CERTIFICATE REQUEST-----"
)
_LABEL = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_BASE64 = re.compile(r"M[A-Za-z0-9+/]+={0,2}")  # a SEQUENCE begins so
_ATTRIBUTES_TAG = 0xA0
# The contents of the OIDs that name a list of extensions: 1.2.840.113549.1.9.14 (RFC 2985 §5.4.2)
# and 1.3.6.1.4.1.311.2.1.14, which is the same by Microsoft.
_EXTENSION_LISTS = (bytes.fromhex("2a864886f70d01090e"), bytes.fromhex("2b06010401823702010e"))
# The contents of the OID of a challengePassword, 1.2.840.113549.1.9.7.
_CHALLENGE = bytes.fromhex("2a864886f70d010907")
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


@lru_cache(maxsize=32)
def parse(data: str | bytes) -> x509.CertificateSigningRequest:
    """Parse a request in PEM, base64 or DER and check its signature, the proof of possession.

    Around PEM there may be text; a byte order mark and line ends written as backslash and n do no
    harm. The attributes may be in any order or left out, which the library would refuse: it is
    given them in order, and the signature is held against what was sent. Raises MalformedCSR for
    everything else: garbage, several requests, trailing data, several lists of extensions, a key
    that would not be repeated as it stands, an unsupported or weak algorithm, a bad signature.

    The last ones are remembered, for one act looks at its request several times.
    """
    der_sent = _der(data.encode("utf-8", "replace") if isinstance(data, str) else data)
    der_read = _in_order(der_sent)
    try:
        csr = x509.load_der_x509_csr(der_read)
        key = csr.public_key()
        # Encodings that the parser reads lazily must fail here and not later.
        _ = csr.subject.public_bytes(), list(csr.extensions)
        digest = csr.signature_hash_algorithm
        _check_strength(key, digest)
        rewritten = raw.rewritten(raw.key_of_request(csr), key)
        signature_holds = _signature_holds(csr, key, der_sent, der_read)
    except UNREADABLE as error:
        raise MalformedCSR(f"The request cannot be read: {str(error)[:120]}.") from None
    if rewritten:
        raise MalformedCSR(
            f"The key cannot be certified as it stands: {rewritten}.", "key_encoding"
        )
    if not signature_holds:
        raise MalformedCSR("The request's own signature is not valid.", "bad_signature")
    return csr


def requested(csr: x509.CertificateSigningRequest) -> Requested:
    """Return what `csr` asks for; raises MalformedCSR for names that no certificate may carry."""
    algorithm, size = certs.key_algorithm_of(csr.public_key())
    for part in csr.subject.rdns:
        if len(list(part)) > 1:
            shown = part.rfc4514_string()[:100]
            detail = f"The subject has several attributes in one part ({shown}); give each its own."
            raise MalformedCSR(detail, "bad_name")
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


def has_challenge(text: str) -> bool:
    """Whether a request holds a challengePassword (RFC 2985 §5.4.1): a secret, not to be kept.

    True for what cannot be read, and for the attribute's OID wherever it stands: too often does no
    harm.
    """
    try:
        return _CHALLENGE in _der(text.encode("utf-8", "replace"))
    except MalformedCSR:
        return bool(text)


def _check_strength(key: PublicKeyTypes, digest: hashes.HashAlgorithm | None) -> None:
    # Before the signature is looked at: a huge key is slow to verify with.
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS:
        raise MalformedCSR(f"RSA keys over {MAX_RSA_BITS} bits are not accepted.", "key_too_large")
    if isinstance(digest, _WEAK):
        raise MalformedCSR(f"Requests signed with {digest.name} are not accepted.", "weak_hash")


def _der(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise MalformedCSR(f"A request may have {MAX_BYTES} bytes.", "too_large")
    if der.begins_well(data):
        return data
    text = _text(data)
    if "PRIVATE KEY" in text:
        raise MalformedCSR(
            "There is a private key in this text: send only the request.", "private_key_sent"
        )
    blocks = _BLOCK.findall(text)
    if len(blocks) > 1:
        raise MalformedCSR("Exactly one request is wanted; several requests were found.")
    bare = "".join((blocks[0] if blocks else text).split())
    if not blocks and not _BASE64.fullmatch(bare):
        raise MalformedCSR(_no_request(text))
    try:
        return b64decode(bare, validate=True)
    except binascii.Error:
        raise MalformedCSR("The request's base64 is broken.") from None


def _text(data: bytes) -> str:
    """Return a text in UTF-8, or in UTF-16 as Windows writes it, with line ends that are some."""
    is_wide = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    text = data.decode("utf-16" if is_wide else "utf-8-sig", "replace")
    # As JSON and environment variables hold it, escaped once too often.
    return text.replace("\\r", "\n").replace("\\n", "\n")


def _no_request(text: str) -> str:
    labels = _LABEL.findall(text)
    requests = [label for label in labels if label.endswith("CERTIFICATE REQUEST")]
    if requests:
        return (
            f"The block that begins with -----BEGIN {requests[0]}----- has no such end, or"
            " something in it is no base64."
        )
    if labels:
        return f"There is a {labels[0]} in this text, and no CERTIFICATE REQUEST."
    return "Exactly one request is wanted; no CERTIFICATE REQUEST block was found."


def _in_order(sent: bytes) -> bytes:
    """Return the request with its attributes in order, and an empty list of them for none."""
    try:
        info, *rest = der.expect(der.read(sent), der.SEQUENCE)
        version, subject, key, *fields = der.expect(info, der.SEQUENCE)
        old_string = raw.old_string(bytes(subject.whole))
        attributes = list(der.expect(fields[0], _ATTRIBUTES_TAG)) if fields else []
        _check_attributes(attributes)
    except ValueError:
        return sent  # the library says what is wrong with it
    if old_string:
        raise MalformedCSR(
            f"The subject holds a {old_string}, which is no text for certain: use UTF8String.",
            "old_string",
        )
    if len(fields) > 1:
        return sent
    # X.690 §11.6: a SET OF is in the order of its encodings.
    ordered = sorted(bytes(one.whole) for one in attributes)
    parts = (*(bytes(one.whole) for one in (version, subject, key)),)
    return der.encode(
        der.SEQUENCE,
        der.encode(der.SEQUENCE, *parts, der.encode(_ATTRIBUTES_TAG, *ordered)),
        *(bytes(one.whole) for one in rest),
    )


def _check_attributes(attributes: list[der.Element]) -> None:
    lists = 0
    for attribute in attributes:
        oid, values = der.expect(attribute, der.SEQUENCE)
        count = len(list(der.expect(values, der.SET)))
        is_list = bytes(der.expect(oid, der.OID).contents) in _EXTENSION_LISTS
        lists += is_list
        if count != 1:
            clause = " (RFC 2985 §5.4.2)" if is_list else ""
            raise MalformedCSR(
                f"The attribute {der.dotted(oid.contents)} has {count} values; one is"
                f" wanted{clause}."
            )
    if lists > 1:
        raise MalformedCSR(f"The request has {lists} lists of extensions; one is wanted.")


def _signature_holds(
    csr: x509.CertificateSigningRequest, key: PublicKeyTypes, sent: bytes, read: bytes
) -> bool:
    if sent == read:
        return csr.is_signature_valid
    info, *_ = der.read(sent)
    try:
        verify(key, csr, csr.signature, bytes(info.whole))
    except InvalidSignature:
        return False
    return True
