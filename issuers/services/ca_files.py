"""A CA's key as people have it in files: PEM, PKCS #8 in DER, or PKCS #12 with its certificates."""

from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from issuers.services.ca_rules import CannotImport
from issuers.x509 import certs

MAX_KEY_FILE = 64 * 1024  # octets; a key with the longest chain that anybody has is a few thousand


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key as PKCS #8 in PEM, not encrypted: it is sealed before it is stored; what came along."""

    key_pem: bytes = field(repr=False)
    certificate_pem: str = ""
    chain_pem: str = ""


def read_key_file(data: bytes, password: str) -> KeyFile:
    """Return the key in a file, and the certificates that PKCS #12 (RFC 7292) has beside it.

    Raises CannotImport, whose words quote nothing of the file: it is a secret.
    """
    if len(data) > MAX_KEY_FILE:
        raise CannotImport("This is too large for a key.")
    secret = password.encode() or None
    if b"-----BEGIN" in data:
        return KeyFile(_pem(_read(serialization.load_pem_private_key, data, secret)))
    try:
        key, own, others = pkcs12.load_key_and_certificates(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Not PKCS #12, or the password is not its.
        return KeyFile(_pem(_read(serialization.load_der_private_key, data, secret)))
    if key is None:
        raise CannotImport("There is no private key in this file.")
    return KeyFile(
        _pem(key),
        certs.pem(own) if own else "",
        "".join(certs.pem(one) for one in others),
    )


def _read(load: object, data: bytes, secret: bytes | None) -> object:
    try:
        return load(data, password=secret)  # type: ignore[operator]  # one of the two above
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words could quote the input, which is a secret.
        raise CannotImport(
            "The private key cannot be read: the password is wrong or missing, or it is neither "
            "PEM, nor PKCS #8, nor PKCS #12."
        ) from None


def _pem(key: object) -> bytes:
    try:
        return key.private_bytes(  # type: ignore[attr-defined, no-any-return]  # what was loaded
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    except (AttributeError, ValueError):
        raise CannotImport("Keys of this kind cannot sign here.") from None
