"""OCSP requests, right ones and odd ones, in DER (RFC 6960 §4.1)."""

import base64
from collections.abc import Iterable
from urllib.parse import quote

from cryptography import x509

from issuers.x509 import der, ocsp
from issuers.x509.ocsp import CertID

# The contents of OIDs: id-pkix-ocsp-nonce; 2.999.1 (X.660's for examples), which nobody knows.
NONCE = bytes.fromhex("2b0601050507300102")
UNKNOWN = bytes.fromhex("883701")


def cert_id(ca: x509.Certificate, serial: int, algorithm: str = "sha256") -> CertID:
    """Return the CertID of a serial of `ca`."""
    return ocsp.cert_id(ca, serial, algorithm)


def extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    """Return one Extension."""
    flag = der.encode(der.BOOLEAN, b"\xff") if critical else b""
    return der.encode(
        der.SEQUENCE, der.encode(der.OID, oid), flag, der.encode(der.OCTET_STRING, value)
    )


def nonce(octets: bytes) -> bytes:
    """Return the nonce's Extension (RFC 9654 §2.1)."""
    return extension(NONCE, der.encode(der.OCTET_STRING, octets))


def request(
    *cert_ids: CertID, extensions: Iterable[bytes] = (), requestor: x509.Name | None = None
) -> bytes:
    """Return an OCSPRequest that asks for certificates, in this order."""
    listed = der.encode(der.SEQUENCE, *(der.encode(der.SEQUENCE, one.encode()) for one in cert_ids))
    all_of_them = b"".join(extensions)
    # requestorName [1] EXPLICIT GeneralName, directoryName [4] EXPLICIT.
    name = (
        b"" if requestor is None else der.encode(0xA1, der.encode(0xA4, requestor.public_bytes()))
    )
    end = der.encode(0xA2, der.encode(der.SEQUENCE, all_of_them)) if all_of_them else b""
    return der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, name, listed, end))


def in_path(question: bytes, *, safe: str = "", lower: bool = False) -> str:
    """Return a request for the path of a GET: base64, percent-encoded (RFC 6960 Appendix A.1)."""
    text = quote(base64.b64encode(question).decode(), safe=safe)
    if not lower:
        return text
    return text.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d")
