"""Secrets at rest: AES-256-GCM under a list of keys, of which the first encrypts.

A token is `version (1 byte) | key id (4 bytes) | nonce (12 bytes) | ciphertext and tag`. The
context ("issuer:<id>") is authenticated with it, so that a token cannot be moved to another row.
"""

import base64
import binascii
import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = b"\x01"
ID_BYTES, NONCE_BYTES, KEY_BYTES = 4, 12, 32


class CannotDecrypt(Exception):
    """The token is not ours, was changed, belongs elsewhere, or its key is gone."""


def encrypt(plain: bytes, *, context: str) -> bytes:
    """Encrypt `plain` for `context` under the first key."""
    key_id, key = _keys(tuple(settings.KEY_ENCRYPTION_KEYS))[0]
    nonce = os.urandom(NONCE_BYTES)
    head = VERSION + key_id
    return head + nonce + AESGCM(key).encrypt(nonce, plain, head + context.encode())


def decrypt(token: bytes, *, context: str) -> bytes:
    """Return what `encrypt` was given; raises CannotDecrypt, which says nothing of the inside."""
    token = bytes(token)
    head, rest = token[: 1 + ID_BYTES], token[1 + ID_BYTES :]
    key = dict(_keys(tuple(settings.KEY_ENCRYPTION_KEYS))).get(head[1:])
    if head[:1] != VERSION or key is None or len(rest) <= NONCE_BYTES:
        raise CannotDecrypt("No key of CERTCTL_KEY_ENCRYPTION_KEYS opens this secret.")
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + context.encode())
    except InvalidTag:
        raise CannotDecrypt("This secret was changed, or belongs to another row.") from None


def is_current(token: bytes) -> bool:
    """Whether `token` was made under the first key, so that rotating it is not needed."""
    key_id, _ = _keys(tuple(settings.KEY_ENCRYPTION_KEYS))[0]
    return bytes(token)[: 1 + ID_BYTES] == VERSION + key_id


@lru_cache(maxsize=4)
def _keys(texts: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    if not texts:
        raise ImproperlyConfigured("CERTCTL_KEY_ENCRYPTION_KEYS is empty (certctl.E002).")
    keys = []
    for text in texts:
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured(
                "An encryption key is not 32 bytes in base64 (certctl.E003)."
            )
        keys.append((hashlib.sha256(b"certctl key id" + key).digest()[:ID_BYTES], key))
    return tuple(keys)
