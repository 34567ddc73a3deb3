"""A version as files: PEM chain, DER, and PKCS#12 without a private key."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES

from certificates.models import Version
from issuers.x509 import certs, chains

# The forms: media type, and how the file's name ends.
FILES = {
    "pem": ("application/x-pem-file", "pem"),
    "leaf": ("application/x-pem-file", "crt"),
    "der": ("application/pkix-cert", "cer"),
    "pkcs12": ("application/x-pkcs12", "p12"),
}
_LEGACY_ROUNDS = 2000  # what old Windows writes; the certificates in it are no secret


def pem_chain(version: Version) -> bytes:
    """Return the certificate and the chain above it, leaf first, without the root's key."""
    parts = (version.pem.strip(), version.chain_pem.strip())
    return "".join(f"{part}\n" for part in parts if part).encode()


def pem_alone(version: Version) -> bytes:
    """Return the certificate alone in PEM."""
    return f"{version.pem.strip()}\n".encode()


def der(version: Version) -> bytes:
    """Return the certificate alone in DER."""
    return certs.load(version.pem).public_bytes(Encoding.DER)


def pkcs12_store(version: Version, password: str = "", *, legacy: bool = False) -> bytes:
    """Return a PKCS#12 store of the certificate and its chain, without a private key.

    Each certificate has a friendly name and Oracle's attribute of trusted keys
    (2.16.840.1.113894.746875.1.1): Java lists as trusted only what has it. `legacy` encrypts with
    3DES and SHA-1, which is all that Windows before Server 2019 opens. Nothing in it is secret: the
    password is for programs that will not open a store without one.
    """
    names = [version.certificate.name, *_chain_names(version)]
    certificates = [certs.load(version.pem), *certs.load_all(version.chain_pem)]
    return pkcs12.serialize_java_truststore(
        [
            pkcs12.PKCS12Certificate(certificate, name.encode())
            for name, certificate in zip(names, certificates, strict=True)
        ],
        _encryption(password, legacy=legacy),
    )


def _chain_names(version: Version) -> list[str]:
    # Java takes the name for the key of an entry: two of one name would be one.
    above = certs.load_all(version.chain_pem)
    return [f"{chains.name_of(one.subject)} ({at})" for at, one in enumerate(above, start=1)]


def _encryption(password: str, *, legacy: bool) -> KeySerializationEncryption:
    if legacy:
        return (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(_LEGACY_ROUNDS)
            .key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())  # noqa: S303 - old Windows knows no other
            .build(password.encode())
        )
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()
