"""A version as files: PEM chain, DER, and PKCS#12 without a private key."""

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    pkcs12,
)

from certificates.models import Version
from issuers.x509 import certs


def pem_chain(version: Version) -> bytes:
    """Return the certificate and the chain above it, leaf first, without the root's key."""
    parts = (version.pem.strip(), version.chain_pem.strip())
    return "".join(f"{part}\n" for part in parts if part).encode()


def der(version: Version) -> bytes:
    """Return the certificate alone in DER."""
    return certs.load(version.pem).public_bytes(Encoding.DER)


def pkcs12_store(version: Version, password: str = "") -> bytes:
    """Return a PKCS#12 store of the certificate and its chain, without a private key.

    Nothing in it is secret: the password is for programs that will not open a store without one.
    """
    encryption: KeySerializationEncryption = (
        BestAvailableEncryption(password.encode()) if password else NoEncryption()
    )
    return pkcs12.serialize_key_and_certificates(
        name=version.certificate.name.encode(),
        key=None,
        cert=certs.load(version.pem),
        cas=certs.load_all(version.chain_pem) or None,
        encryption_algorithm=encryption,
    )
