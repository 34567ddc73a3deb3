"""Parts of certificates and requests as they stand there, byte for byte.

The library parses a key and writes it anew: a compressed point comes back uncompressed, RSASSA-PSS
as rsaEncryption, missing parameters as NULL. What is hashed, repeated or compared must be what
stands there.
"""

from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from issuers.x509 import der

# The contents of OIDs: 1.2.840.113549.1.1.10, 1.2.840.113549.1.1.1, 1.2.840.10045.2.1.
_PSS = bytes.fromhex("2a864886f70d01010a")
_RSA = bytes.fromhex("2a864886f70d010101")
_EC = bytes.fromhex("2a8648ce3d0201")
_COMPRESSED = {2, 3}  # SEC 1 §2.3.3
_VERSION_TAG, _EXTENSIONS_TAG = 0xA0, 0xA3
# RFC 5280 §4.1.2.4 has PrintableString and UTF8String; of those before, these cannot be read as
# text for certain. T61String can where it holds ASCII alone.
_OLD_STRINGS = {
    0x14: "T61String (TeletexString)",
    0x15: "VideotexString",
    0x19: "GraphicString",
    0x1B: "GeneralString",
}
_T61_STRING = 0x14


def issuer(certificate: x509.Certificate) -> bytes:
    """Return the issuer's Name of a certificate (RFC 5280 §4.1.2.4)."""
    return _field(certificate, 2)


def subject(certificate: x509.Certificate) -> bytes:
    """Return the subject's Name of a certificate (RFC 5280 §4.1.2.6)."""
    return _field(certificate, 4)


@lru_cache(maxsize=256)
def key(certificate: x509.Certificate) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1.2.7).

    Remembered: CAs are told apart by it, the same few again and again.
    """
    return _field(certificate, 5)


def extension(certificate: x509.Certificate, oid: bytes) -> bytes | None:
    """Return the value of an extension, by the contents of its OID; None where there is none."""
    for field in der.read(certificate.tbs_certificate_bytes):
        if field.tag == _EXTENSIONS_TAG:
            for name, *_, value in der.read(field.contents):
                if name.contents == oid:
                    return bytes(value.contents)
    return None


def key_of_request(csr: x509.CertificateSigningRequest) -> bytes:
    """Return the SubjectPublicKeyInfo of a request (RFC 2986 §4.1)."""
    return bytes(list(der.read(csr.tbs_certrequest_bytes))[2].whole)


def _field(certificate: x509.Certificate, number: int) -> bytes:
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo; version may precede.
    fields = list(der.read(certificate.tbs_certificate_bytes))
    return bytes(fields[number + (fields[0].tag == _VERSION_TAG)].whole)


def old_string(name: bytes) -> str:
    """Return which old type of string a Name has that is no text; "" for none.

    Raises der.NotDER where it is no Name.
    """
    for part in der.read(name):
        for attribute in part:
            _, value = list(attribute)
            is_ascii = bytes(value.contents).isascii()
            if value.tag in _OLD_STRINGS and not (value.tag == _T61_STRING and is_ascii):
                return _OLD_STRINGS[value.tag]
    return ""


def is_pss(certificate: x509.Certificate) -> bool:
    """Whether a certificate's key may sign RSASSA-PSS alone (RFC 4055 §1.2)."""
    algorithm, _ = der.read(key(certificate))
    return bytes(next(iter(algorithm)).contents) == _PSS


def bits(info: bytes) -> bytes:
    """Return a key's BIT STRING without tag, length and count of unused bits."""
    return bytes(list(der.read(info))[1].contents[1:])


def key_identifier(info: bytes) -> bytes:
    """Return the SHA-1 of a key's bits, which RFC 5280 §4.2.1.2 (1) and RFC 6960 §4.2.1 name by."""
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303 - an identifier, no signature
    digest.update(bits(info))
    return digest.finalize()


def rewritten(info: bytes, parsed: PublicKeyTypes) -> str:
    """Return in words why a certificate would not repeat `info` as it stands; "" where it would."""
    again = parsed.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if again == info:
        return ""
    algorithm, _ = der.read(info)
    oid, *parameters = algorithm
    kind = bytes(oid.contents)
    if kind == _PSS:
        return "the key is bound to RSASSA-PSS; send a request for an rsaEncryption key"
    if kind == _RSA and not parameters:
        return "the RSA key lacks its parameters, which must be NULL (RFC 3279 §2.3.1)"
    if kind == _EC and bits(info)[0] in _COMPRESSED:
        return "the EC point is compressed; send it uncompressed (RFC 5480 §2.2)"
    return "the key is not encoded as RFC 3279, RFC 5480 or RFC 8410 have it"
