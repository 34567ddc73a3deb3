"""A client's certificate as the proxy that ended its TLS hands it on, in a header.

Who sent the header is not looked at: the caller believes it from configured peers and nobody else,
and verifies the certificate itself. The proxy says that the client has the key, and no more.
"""

import binascii
import re
from base64 import b64decode
from urllib.parse import unquote_to_bytes

from issuers.x509 import der

MAX_HEADER = 16 * 1024  # what proxies let through at most, and a certificate with many names has
MAX_CHAIN_HEADER = 64 * 1024
MAX_CHAIN = 8
_PEM = re.compile(
    rb"\s*-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)"
    rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----\s*"
)
_BLANKS = re.compile(rb"\s+")
# A Byte Sequence (RFC 8941 §3.3.5), and the parameters that RFC 9440 §2.1 has ignored.
_ITEM = re.compile(r":([A-Za-z0-9+/=]*):(?:;[ ]*[a-z*][a-z0-9_.*-]*(?:=[^,;:\"]*)?)*")


class BadHeader(ValueError):
    """The header carries no certificate that can be read; the words may be shown."""


def from_rfc9440(header: str) -> bytes:
    """Return the certificate in DER that `Client-Cert` carries: `:base64:` (RFC 9440 §2.2).

    Raises BadHeader; for two headers too, which arrive joined by a comma.
    """
    _check_size(header, MAX_HEADER)
    return _item(header.strip(" \t"), "Client-Cert")


def chain_from_rfc9440(header: str) -> tuple[bytes, ...]:
    """Return the certificates in DER that `Client-Cert-Chain` carries, a list (RFC 9440 §2.3).

    The client's own is not among them. Raises BadHeader, also for more than MAX_CHAIN.
    """
    _check_size(header, MAX_CHAIN_HEADER)
    items = [item.strip(" \t") for item in header.split(",")]
    if len(items) > MAX_CHAIN:
        raise BadHeader(f"Client-Cert-Chain may have {MAX_CHAIN} certificates.")
    return tuple(_item(item, "Client-Cert-Chain") for item in items)


def from_nginx(header: str) -> bytes:
    """Return the certificate in DER that nginx's `$ssl_client_escaped_cert` carries.

    It is PEM with everything but letters, digits and a few marks as %XX. Raises BadHeader, also
    for several certificates and for what stands around one.
    """
    _check_size(header, MAX_HEADER)
    match = _PEM.fullmatch(unquote_to_bytes(header))
    if match is None:
        raise BadHeader("The header has not just one certificate in PEM.")
    return _certificate(_BLANKS.sub(b"", match[1]))


def from_haproxy(header: str) -> bytes:
    """Return the certificate in DER that HAProxy's `ssl_c_der,base64` carries; raises BadHeader."""
    _check_size(header, MAX_HEADER)
    try:
        return _certificate(header.strip(" \t").encode("ascii"))
    except UnicodeEncodeError:
        raise BadHeader("The header is not base64.") from None


def _check_size(header: str, most: int) -> None:
    if len(header) > most:
        raise BadHeader(f"The header with the certificate may have {most} characters.")
    if not header.strip():
        raise BadHeader("The header is empty: the client showed no certificate.")


def _item(text: str, name: str) -> bytes:
    match = _ITEM.fullmatch(text)
    if match is None:
        raise BadHeader(f"{name} is no byte sequence, :base64: (RFC 9440 §2.1).")
    return _certificate(match[1].encode("ascii"))


def _certificate(text: bytes) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except binascii.Error:
        raise BadHeader("The certificate in the header is not in base64.") from None
    if data[:1] != bytes((der.SEQUENCE,)) or not der.begins_well(data):
        raise BadHeader("What the header carries is no certificate in DER.")
    return data
