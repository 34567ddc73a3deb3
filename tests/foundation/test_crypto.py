"""Secrets at rest."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from foundation import crypto

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
SECRET = b"a very secret key"


def test_what_was_encrypted_comes_back(settings):
    settings.KEY_ENCRYPTION_KEYS = [OLD]

    token = crypto.encrypt(SECRET, context="issuer:1")

    assert SECRET not in token
    assert crypto.decrypt(token, context="issuer:1") == SECRET
    assert crypto.decrypt(memoryview(token), context="issuer:1") == SECRET


def test_the_same_secret_never_looks_the_same_twice():
    assert crypto.encrypt(SECRET, context="x") != crypto.encrypt(SECRET, context="x")


def test_a_token_belongs_to_its_row():
    token = crypto.encrypt(SECRET, context="issuer:1")

    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(token, context="issuer:2")


def test_another_key_opens_nothing(settings):
    settings.KEY_ENCRYPTION_KEYS = [OLD]
    token = crypto.encrypt(SECRET, context="x")
    settings.KEY_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(crypto.CannotDecrypt, match="No key of"):
        crypto.decrypt(token, context="x")


def test_every_changed_byte_is_noticed():
    token = crypto.encrypt(SECRET, context="x")

    for place in range(len(token)):
        changed = bytearray(token)
        changed[place] ^= 1
        with pytest.raises(crypto.CannotDecrypt) as caught:
            crypto.decrypt(bytes(changed), context="x")
        assert "secret key" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 1, 5, 16, 17, 32])
def test_a_token_cut_short_is_noticed(size):
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(crypto.encrypt(SECRET, context="x")[:size], context="x")


def test_a_new_first_key_takes_over_and_the_old_one_still_opens(settings):
    settings.KEY_ENCRYPTION_KEYS = [OLD]
    token = crypto.encrypt(SECRET, context="x")
    settings.KEY_ENCRYPTION_KEYS = [NEW, OLD]

    fresh = crypto.encrypt(crypto.decrypt(token, context="x"), context="x")

    assert (crypto.is_current(token), crypto.is_current(fresh)) == (False, True)
    settings.KEY_ENCRYPTION_KEYS = [NEW]
    assert crypto.decrypt(fresh, context="x") == SECRET


@pytest.mark.parametrize(
    "keys", [[], ["short"], ["!" * 44], [OLD[:40]], [f"{OLD[:20]}!{OLD[20:]}"]]
)
def test_without_a_proper_key_nothing_is_encrypted(settings, keys):
    settings.KEY_ENCRYPTION_KEYS = keys

    with pytest.raises(ImproperlyConfigured) as caught:
        crypto.encrypt(SECRET, context="x")

    assert not keys or keys[0] not in str(caught.value)
