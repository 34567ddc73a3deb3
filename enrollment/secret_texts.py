"""Credentials as text: `<prefix>-<secret>`, made, taken apart and compared.

Letters and digits that can be told from each other, for some are typed into a router by hand, and
all of them in every string type that a CSR may hold a challenge in.
"""

import re
import secrets

from owners import keys

_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 of them, so 5 bits each
_PREFIX, _SECRET = 10, 32  # 160 bits that nobody can guess: one SHA-256 is enough (owners.keys)
_TEXT = re.compile(rf"([{_ALPHABET}]{{{_PREFIX}}})-([{_ALPHABET}]{{{_SECRET}}})")


def make() -> tuple[str, str, str]:
    """Return a new credential as (whole text to show once, prefix, digest to store)."""
    prefix, secret = (
        "".join(secrets.choice(_ALPHABET) for _ in range(length)) for length in (_PREFIX, _SECRET)
    )
    return f"{prefix}-{secret}", prefix, keys.digest(secret)


def parse(text: str) -> tuple[str, str] | None:
    """Take a credential apart into prefix and secret; None for what is none."""
    match = _TEXT.fullmatch(text.strip())
    return (match[1], match[2]) if match else None
