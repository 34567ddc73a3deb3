"""What agents show, as text: tokens to register with, and the keys that they make themselves.

    certctl-token_<10 to find it by>_<43 random>[_<SHA-256 of the CA to trust>]
    certctl-agent_<43 random>

Both hold 256 random bits, so one SHA-256 is enough at rest (owners.keys). The prefix says what it
is: neither is an API key, so no other address takes one for who somebody is.
"""

import hashlib
import re
import secrets

from owners import keys

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = re.compile(r"certctl-token_([a-z2-7]{10})_([A-Za-z0-9_-]{43})(?:_([0-9a-f]{64}))?")
_KEY = re.compile(r"certctl-agent_[A-Za-z0-9_-]{43}")
DIGEST = re.compile(r"[0-9a-f]{64}")


def make_token(ca_fingerprint: str = "") -> tuple[str, str, str]:
    """Return a new token as (whole text to show once, prefix, digest to store)."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    secret = secrets.token_urlsafe(32)
    text = f"certctl-token_{prefix}_{secret}"
    return f"{text}_{ca_fingerprint}" if ca_fingerprint else text, prefix, keys.digest(secret)


def parse_token(text: str) -> tuple[str, str] | None:
    """Take a token apart into prefix and secret; None for what is none.

    The CA that it names is for the agent, which has no other way to know the server yet.
    """
    match = _TOKEN.fullmatch(text.strip())
    return (match[1], match[2]) if match else None


def make_key() -> str:
    """Return a new agent's key; agents make theirs in the same form, on their hosts."""
    return f"certctl-agent_{secrets.token_urlsafe(32)}"


def key_digest(text: str) -> str | None:
    """Return the SHA-256 of an agent's key, in lower-case hexadecimal; None for what is none."""
    return hashlib.sha256(text.encode()).hexdigest() if _KEY.fullmatch(text) else None
