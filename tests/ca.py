"""CAs without a database, what they sign, and openssl to ask about it.

`make_ca()` is a root, `make_ca(parent=root)` a CA below it; `ca.certify("web.demo.internal")` is a
certificate with its key and its chain.
"""

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.utils import timezone

from certctl.demo.programs import OPENSSL
from issuers.x509 import certs, names

KEYS: dict[str, Callable[[], Any]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


PEM = serialization.Encoding.PEM
OLD = timedelta(days=400)  # older than what they certify, however old that is to be


def pem_of(*certificates):
    return "".join(one.public_bytes(PEM).decode() for one in certificates)


def pem_of_key(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def named(common_name):
    """Return a name of one attribute, be it one that we would refuse."""
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


@dataclass
class Certified:
    """A certificate with everything that belongs to it; `chain` ends with the root."""

    certificate: x509.Certificate
    key: Any
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def leaf_pem(self):
        return pem_of(self.certificate)

    @property
    def chain_pem(self):
        return pem_of(*self.chain)

    @property
    def served_pem(self):
        return pem_of(self.certificate, *self.chain[:-1])

    @property
    def key_pem(self):
        return pem_of_key(self.key)

    @property
    def fingerprint(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def key_fingerprint(self):
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(der).hexdigest()


@dataclass
class CA(Certified):
    """A CA's certificate and its key; `chain` has those above it."""

    @property
    def signer(self):
        return {"issuer": self.certificate, "key": self.key}

    def certify(self, *hosts, name=None, key=None, begins=None, lifetime=None):
        """Sign a certificate for DNS names, as other people's CAs do: our rules are not asked."""
        hosts = hosts or ("web.demo.internal",)
        key = key or KEYS["ecdsa-p256"]()
        now = timezone.now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(named(name or hosts[0]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or now - timedelta(days=30))
            .not_valid_after(now + (lifetime or timedelta(days=10)))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return Certified(certificate, key, (self.certificate, *self.chain))


def make_ca(algorithm="ecdsa-p256", *, subject=None, parent=None, begins=NOW, days=3650, **options):
    key = KEYS[algorithm]()
    certificate = certs.build_ca(
        public_key=key.public_key(),
        subject=subject or names.subject_of([("O", "Test"), ("CN", f"CA {algorithm}")]),
        not_before=begins,
        not_after=begins + timedelta(days=days),
        key=parent.key if parent else key,
        issuer=parent.certificate if parent else None,
        **options,
    )
    return CA(certificate, key, (parent.certificate, *parent.chain) if parent else ())


def two_tiers():
    """An issuing CA of today, below a root."""
    begins = timezone.now() - OLD
    root = make_ca(subject=named("Root"), begins=begins)
    return make_ca(subject=named("Issuing"), parent=root, begins=begins)


def openssl(*args, check=True, **kwargs):
    """Run openssl and return what it says, on both channels."""
    command = [OPENSSL.get(), *map(str, args)]
    done = subprocess.run(command, check=False, capture_output=True, **kwargs)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert not check or done.returncode == 0, said
    return said


def write(path, thing):
    """Write a certificate, a CRL or bytes as a file; return its path."""
    if not isinstance(thing, bytes):
        thing = thing.public_bytes(PEM)
    path.write_bytes(thing)
    return path
