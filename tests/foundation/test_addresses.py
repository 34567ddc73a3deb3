"""Where a request comes from, as far as it can be believed."""

import pytest
from django.test import RequestFactory

from foundation.middleware import remote_address


def seen(peer, forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return remote_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
    ],
)
def test_the_peer_is_who_it_is(peer, address):
    assert seen(peer, "203.0.113.9") == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.1, 203.0.113.9", "203.0.113.9"),  # what stands to the left, the client wrote
        ("unknown", None),
        ("203.0.113.9:4711", None),
        ("'; DROP TABLE", None),
        ("", "192.0.2.1"),
    ],
)
def test_of_a_trusted_proxy_the_last_address_counts(settings, forwarded, address):
    settings.TRUSTED_PROXIES = 1

    assert seen("192.0.2.1", forwarded) == address


def test_a_proxy_that_says_nonsense_breaks_neither_keys_nor_the_trail(
    settings, alice, key_of, anonymous
):
    settings.TRUSTED_PROXIES = 1
    anonymous.credentials(
        HTTP_AUTHORIZATION=f"Bearer {key_of(alice, allowed_networks=['10.0.0.0/8'])}",
        HTTP_X_FORWARDED_FOR="nonsense",
    )

    assert anonymous.get("/api/v1/me/").status_code == 401
    assert anonymous.post("/api/v1/teams/", {}).status_code == 401
