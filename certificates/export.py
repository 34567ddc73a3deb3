"""A version as files: PEM chain, DER, and PKCS#12 without a private key."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    pkcs12,
)

from certificates.models import Version


def pem_chain(version: Version) -> bytes:
    """Return the certificate and the chain above it, leaf first, without the root's key."""
    parts = (version.pem.strip(), version.chain_pem.strip())
    return "".join(f"{part}\n" for part in parts if part).encode()


def der(version: Version) -> bytes:
    """Return the certificate alone in DER."""
    return x509.load_pem_x509_certificate(version.pem.encode()).public_bytes(Encoding.DER)


def pkcs12_store(version: Version, password: str = "") -> bytes:
    """Return a PKCS#12 store of the certificate and its chain, without a private key.

    Nothing in it is secret: the password is for programs that will not open a store without one.
    """
    encryption: KeySerializationEncryption = (
        BestAvailableEncryption(password.encode()) if password else NoEncryption()
    )
    chain = version.chain_pem.strip()
    return pkcs12.serialize_key_and_certificates(
        name=version.certificate.name.encode(),
        key=None,
        cert=x509.load_pem_x509_certificate(version.pem.encode()),
        cas=x509.load_pem_x509_certificates(chain.encode()) if chain else None,
        encryption_algorithm=encryption,
    )
