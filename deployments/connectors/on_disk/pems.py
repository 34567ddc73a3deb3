"""The certificates and the key that are deployed, as objects: pure, no file, no clock."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from deployments.connectors.base import Material
from foundation.errors import ConnectorError

_BEGIN = re.compile(rb"-----BEGIN ([^\r\n]{1,64}?)-----")
_CERTIFICATE = b"CERTIFICATE"
_KEYS = re.compile(rb"(?:[A-Z0-9 ]+ )?PRIVATE KEY")
_OF_KEYS = b"EC PARAMETERS"  # `openssl ecparam -genkey` writes them before the key that holds them


def chain_of(material: Material) -> list[x509.Certificate]:
    """Return the leaf and what stands above it; refuses material that contradicts itself."""
    try:
        leaf = x509.load_pem_x509_certificate(material.leaf_pem.encode())
        above = (
            x509.load_pem_x509_certificates(material.chain_pem.encode())
            if material.chain_pem.strip()
            else []
        )
    except ValueError as error:
        raise ConnectorError("The certificate or its chain is no PEM.", permanent=True) from error
    if fingerprint(leaf) != material.fingerprint:
        raise ConnectorError("The certificate is not the one on record.", permanent=True)
    if material.key_pem is not None:
        _check_key(material.key_pem, material.key_fingerprint, "the key that is to be deployed")
    return [leaf, *above]


def served_chain(chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return what a server sends: without roots, which the client has (RFC 8446 §4.4.2).

    A CA that changed its key has self-issued certificates which another key signed: those lead to
    the root that a client may have, and stay.
    """
    return [chain[0], *(one for one in chain[1:] if not _is_root(one))]


def _is_root(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        return False
    return True


def to_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """Return the certificates one after the other."""
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def same(content: bytes, wanted: bytes) -> bool:
    """Whether both hold the same certificates in the same order, whatever text is between.

    False for a key or for nothing: those are the same only byte by byte.
    """
    try:
        there = x509.load_pem_x509_certificates(content)
        other = x509.load_pem_x509_certificates(wanted)
    except ValueError:
        return False
    return there == other


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER in lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def check_certificates_only(content: bytes | None, field: str, path: str) -> None:
    """Refuse to replace a file that holds what certificates are not: it would be lost.

    Raises ConnectorError (permanent) that says what is there and what to configure.
    """
    if content is None or not content.strip():
        return
    labels = {match[1] for match in _BEGIN.finditer(content)}
    if not labels:
        raise ConnectorError(
            f"{path} ({field}) holds something else than PEM certificates, which would be lost. "
            f"Name another file, or move that one away.",
            permanent=True,
        )
    others = sorted(label.decode(errors="replace") for label in labels - {_CERTIFICATE})
    if others:
        raise ConnectorError(
            f"{path} ({field}) holds more than certificates ({', '.join(others)}), which would be "
            "lost. Give the certificate a file of its own, name the key's own file as key_path, "
            "and have the server read the two.",
            permanent=True,
        )


def check_key_only(content: bytes | None, path: str) -> None:
    """Refuse to replace a key's file by another key where it holds more than one private key.

    Raises ConnectorError (permanent) that says what is there and what to configure.
    """
    if content is None or not content.strip():
        return
    labels = [match[1] for match in _BEGIN.finditer(content) if match[1] != _OF_KEYS]
    if len(labels) != 1 or not _KEYS.fullmatch(labels[0]):
        others = ", ".join(label.decode(errors="replace") for label in labels) or "no PEM"
        raise ConnectorError(
            f"{path} (key_path) holds something else than one private key ({others}), which would "
            "be lost. Give the key a file of its own.",
            permanent=True,
        )


def check_key_file(content: bytes | None, path: str, key_fingerprint: str) -> None:
    """Refuse a key file that the certificate does not match: no server would start with it."""
    if content is None:
        raise ConnectorError(f"There is no private key at {path}.", permanent=True)
    _check_key(content, key_fingerprint, f"the private key at {path}")


def _check_key(pem: bytes, key_fingerprint: str, what: str) -> None:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # No cause: its words may quote what it could not read.
        raise ConnectorError(
            f"It cannot be read whether the certificate matches {what}.", permanent=True
        ) from None
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if hashlib.sha256(public).hexdigest() != key_fingerprint:
        raise ConnectorError(f"The certificate does not match {what}.", permanent=True)
