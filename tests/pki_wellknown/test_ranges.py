"""Whoever goes on with a download gets the rest, and never that of another CRL (RFC 9110 §14)."""

import pytest

from certificates import bodies, crl
from certificates.models import Piece
from tests.pki_wellknown.test_crl import URL


@pytest.mark.parametrize(
    ("asked", "first", "behind"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=10-", 10, None),
        ("bytes=-7", -7, None),
        ("bytes=-999999", 0, None),
        ("bytes=5-999999", 5, None),
        ("Bytes=5-9", 5, 10),
    ],
)
def test_a_range_is_given_alone(client, published, asked, first, behind):
    whole = bytes(published.der)

    response = client.get(URL, headers={"Range": asked})

    wanted = whole[first:behind]
    begin = len(whole) + first if first < 0 else first
    assert (response.status_code, response.content) == (206, wanted)
    place = f"bytes {begin}-{begin + len(wanted) - 1}/{len(whole)}"
    assert response["Content-Range"] == place
    assert int(response["Content-Length"]) == len(wanted)
    assert response["ETag"] == f'"{published.etag}"'
    assert response["Content-Type"] == "application/pkix-crl"


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,5-6", "bytes=9-5", "bytes=", "bytes=a-b", "octets=0-1", "bytes=--1", "bytes=-",
     "bytes=1-" + "9" * 5000],
)  # fmt: skip
def test_what_is_no_single_range_is_answered_whole(client, published, asked):
    response = client.get(URL, headers={"Range": asked})

    assert (response.status_code, response.content) == (200, bytes(published.der))
    assert response["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0", "bytes=999999-9999999"])
def test_a_range_past_the_end_is_refused_with_the_size(client, published, asked):
    response = client.get(URL, headers={"Range": asked})

    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(published.der)}"
    assert "no-store" in response["Cache-Control"]


def test_the_rest_of_another_crl_is_never_given(client, published, local_ca, system):
    before = client.get(URL)
    newer = crl.publish(issuer_id=local_ca.pk, actor=system)

    for validator in (before["ETag"], before["Last-Modified"], "W/" + before["ETag"]):
        response = client.get(URL, headers={"Range": "bytes=5-", "If-Range": validator})
        assert (response.status_code, response.content) == (200, bytes(newer.der))
    now = client.get(URL)
    for validator in (now["ETag"], now["Last-Modified"]):
        response = client.get(URL, headers={"Range": "bytes=5-", "If-Range": validator})
        assert (response.status_code, response.content) == (206, bytes(newer.der)[5:])


def test_who_has_it_is_told_so_before_any_range(client, published):
    etag = f'"{published.etag}"'

    told = client.get(URL, headers={"If-None-Match": etag, "Range": "bytes=0-1"})

    assert (told.status_code, told.content) == (304, b"")


def test_head_takes_no_range(client, published):
    response = client.head(URL, headers={"Range": "bytes=0-1"})

    assert (response.status_code, response.content) == (200, b"")
    assert int(response["Content-Length"]) == len(published.der)


# --- Memory ---------------------------------------------------------------------------------


def test_neither_head_nor_304_reads_the_bytes(client, published, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.head(URL)
        client.get(URL, headers={"If-None-Match": f'"{published.etag}"'})


def test_what_is_held_is_never_older_than_the_newest_row(client, published, local_ca, system):
    client.get(URL)
    newer = crl.publish(issuer_id=local_ca.pk, actor=system)

    assert client.get(URL).content == bytes(newer.der)


def test_memory_is_bounded_and_forgets_what_was_longest_unasked(published):
    read = []

    class Counting(bodies.Memory):
        pass

    memory = Counting(limit=10)
    original = bodies.der_of
    sizes = {"a": 4, "b": 4, "c": 4, "large": 11}
    try:
        bodies.der_of = lambda body: (read.append(body), bytes(sizes[body]))[1]
        for name in ("a", "b", "a", "c", "a", "large"):
            assert len(memory.get(name, name)) == sizes[name]
        assert memory.size == 8
        memory.get("b", "b")
    finally:
        bodies.der_of = original

    assert read == ["a", "b", "c", "large", "b"]


def test_a_body_lies_in_pieces(published):
    assert Piece.objects.filter(body=published.body_id).count() == 2
