"""CAs without a database, and openssl to ask about what they sign."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from issuers.x509 import certs, names

KEYS: dict[str, Callable[[], Any]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa-2048": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)


@dataclass
class CA:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def signer(self):
        return {"issuer": self.certificate, "key": self.key}


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
    return CA(certificate, key)


def openssl(*args, check=True, **kwargs):
    """Run openssl and return what it says, on both channels."""
    done = subprocess.run(["openssl", *map(str, args)], check=False, capture_output=True, **kwargs)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert not check or done.returncode == 0, said
    return said


def write(path, thing):
    """Write a certificate, a CRL or bytes as a file; return its path."""
    if not isinstance(thing, bytes):
        thing = thing.public_bytes(serialization.Encoding.PEM)
    path.write_bytes(thing)
    return path
