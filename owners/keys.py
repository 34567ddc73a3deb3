"""API keys as text: `certctl_<prefix>_<secret>`, made, taken apart and compared."""

import hashlib
import hmac
import re
import secrets

# 10 characters of base 32 to find the row by; 256 random bits that nobody can guess, which is
# why one SHA-256 is enough: a slow hash only helps secrets that people choose.
_KEY = re.compile(r"certctl_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NOBODY = hashlib.sha256(b"no key has this digest").hexdigest()


def make() -> tuple[str, str, str]:
    """Return a new key as (whole key to show once, prefix, digest to store)."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    return f"certctl_{prefix}_{secret}", prefix, digest(secret)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, in lower-case hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parse(text: bytes) -> tuple[str, str] | None:
    """Take a key apart into prefix and secret; None for what is no key."""
    match = _KEY.fullmatch(text.decode("ascii", "replace"))
    return (match[1], match[2]) if match else None


def matches(secret: str, expected: str | None) -> bool:
    """Compare in constant time; False for an unknown key after the same work."""
    equal = hmac.compare_digest(digest(secret), expected or _NOBODY)
    return equal and expected is not None
