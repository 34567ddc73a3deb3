"""Certificates in files and on servers: read in any of the usual forms, put in order."""

import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from certctl_cli import files
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit

Certificates = list[x509.Certificate]
ENDINGS = {".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p7s"}
TIMEOUT = 10.0  # seconds


def of_file(path: Path) -> Certificates:
    """Return the certificates of a file: PEM, DER or PKCS#7. Raises Stop where it has none."""
    content = files.read(path)
    if b"PRIVATE KEY-----" in content:
        raise Stop(
            f"There is a private key in {path}: it is not read, and never sent.",
            Exit.USAGE,
            hint="Name a file that holds certificates alone.",
        )
    for read in (
        x509.load_pem_x509_certificates,
        lambda data: [x509.load_der_x509_certificate(data)],
        pkcs7.load_pem_pkcs7_certificates,
        pkcs7.load_der_pkcs7_certificates,
    ):
        try:
            return list(read(content))
        except (ValueError, UnsupportedAlgorithm):
            continue
    raise Stop(f"{path} holds no certificate that can be read.", Exit.USAGE)


def of_server(host: str, port: int) -> Certificates:
    """Return what a TLS server shows, trusted or not. Raises Stop."""
    try:
        pem = ssl.get_server_certificate((host, port), timeout=TIMEOUT)
    except OSError as error:
        raise Stop(f"{host}:{port} shows no certificate: {error}.") from error
    return [x509.load_pem_x509_certificate(pem.encode())]


def chains(certificates: Sequence[x509.Certificate]) -> Iterator[Certificates]:
    """Group what was found: each certificate that signed no other, then what stands above it."""
    leaves = [
        one
        for one in certificates
        if not any(other is not one and has_signed(one, other) for other in certificates)
    ]
    for leaf in leaves:
        chain, last = [leaf], leaf
        while above := next(
            (c for c in certificates if c not in chain and has_signed(c, last)), None
        ):
            chain.append(above)
            last = above
        yield chain


def has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether `issuer` is named by `certificate` as its issuer, and its key made the signature."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def to_pem(certificates: Sequence[x509.Certificate]) -> str:
    """Return certificates in PEM, one after the other."""
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def title_of(certificate: x509.Certificate) -> str:
    """Return the name that people know a certificate by: its first DNS name, else its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for name in names.get_values_for_type(x509.DNSName):
            return name
    except (x509.ExtensionNotFound, ValueError):
        pass
    return certificate.subject.rfc4514_string() or f"{certificate.serial_number:x}"
