"""A body is read whole and in bounds, or refused: nobody is taken at their word for its length."""

from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIRequest

from foundation.bodies import BadBody, read_whole, spooled
from foundation.errors import TooLarge


class Broken(BytesIO):
    """A line that is cut."""

    def read(self, *_):
        raise OSError


def request_with(body, **headers):
    stream = body if isinstance(body, BytesIO) else BytesIO(body)
    return WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.input": stream, **headers})


def chunked(body):
    return request_with(body, HTTP_TRANSFER_ENCODING="chunked")


def test_chunks_are_read_to_their_end_and_no_further_than_the_limit():
    request = chunked(b"x" * 10)

    read_whole(request, limit=10)

    assert request.body == b"x" * 10
    longer = BytesIO(b"x" * 100)
    with pytest.raises(TooLarge):
        read_whole(chunked(longer), limit=10)
    assert longer.tell() == 11


def test_chunks_that_stop_are_refused():
    with pytest.raises(BadBody):
        read_whole(chunked(Broken()), limit=10)


def test_a_body_that_is_shorter_than_it_says_is_refused():
    with pytest.raises(BadBody):
        read_whole(request_with(b"x" * 9, CONTENT_LENGTH="10"), limit=10)


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "\u0661"])
def test_a_length_that_is_no_number_is_refused(length):
    with pytest.raises(BadBody):
        read_whole(request_with(b"", CONTENT_LENGTH=length), limit=10)


@pytest.mark.parametrize("length", ["11", "9" * 5000])
def test_a_length_over_the_limit_is_refused_unread(length):
    with pytest.raises(TooLarge):
        read_whole(request_with(Broken(), CONTENT_LENGTH=length), limit=10)


# --- Bodies that are too large for memory ----------------------------------------------------


def spooled_whole(request, limit):
    with spooled(request, limit=limit):
        return request.read()


def test_a_large_body_is_there_for_whoever_reads_the_form():
    body = b"x" * 2_000_000

    assert spooled_whole(request_with(body, CONTENT_LENGTH=str(len(body))), len(body)) == body


def test_large_chunks_are_read_to_their_end_and_no_further_than_the_limit():
    assert spooled_whole(chunked(b"x" * 100_000), 100_000) == b"x" * 100_000

    with pytest.raises(TooLarge):
        spooled_whole(chunked(b"x" * 100_001), 100_000)


def test_a_large_body_that_stops_or_is_short_is_refused():
    with pytest.raises(BadBody):
        spooled_whole(chunked(Broken()), 10)
    with pytest.raises(BadBody):
        spooled_whole(request_with(b"x" * 9, CONTENT_LENGTH="10"), 10)
    with pytest.raises(TooLarge):
        spooled_whole(request_with(Broken(), CONTENT_LENGTH="11"), 10)


def test_no_body_is_none():
    assert spooled_whole(request_with(Broken()), 10) == b""
