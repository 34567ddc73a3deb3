"""OCSP answers before Django: what is known goes out as bytes, all else is handed on.

A request object, a URL resolver and a database query cost a hundred times what the answer does.
Nothing is decided here: what may be given is the memory's to say, and what is not in it, or is not
the plainest of questions, is answered by the views, which are the one source of truth and fill it.
"""

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from foundation.csp import HEADER, NOTHING
from foundation.middleware import id_headers
from issuers.x509.ocsp import TRY_LATER
from pki_wellknown import quick
from pki_wellknown.answers import NO_STORE, OCSP_TYPE, cache_control, content
from pki_wellknown.follow import Follower
from pki_wellknown.memory import Known, Memory
from pki_wellknown.middleware import PREFIX

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

OCSP = f"{PREFIX}ocsp/"
# What these ask for depends on more than the question.
_CONDITIONS = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE")
_LENGTH = re.compile(r"[1-9][0-9]{0,2}")


class Front:
    """A WSGI application before another: answers what `memory` has of plain OCSP questions."""

    def __init__(self, application: Application, memory: Memory, follower: Follower) -> None:
        self._application = application
        self._memory = memory
        self._follower = follower

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or hand the request on as it came."""
        if environ["PATH_INFO"].startswith(OCSP):
            self._follower.start()
            key = _key(environ)
            given = self._memory.fresh(key) if key else None
            if given is not None and _asks_for(environ, given[0]):
                return _respond(environ, start_response, *given)
            if self._follower.is_away and environ["REQUEST_METHOD"] in {"GET", "POST"}:
                # Each would wait for a connection, and hold a thread that could answer others.
                given = self._memory.in_force(key) if key else None
                if given is not None:
                    return _respond(environ, start_response, *given)
                return _later(environ, start_response)
        return self._application(environ, start_response)


def _key(environ: Environ) -> quick.Key | None:
    method = environ["REQUEST_METHOD"]
    tail = environ["PATH_INFO"][len(OCSP) :]
    if method == "GET":
        if any(name in environ for name in _CONDITIONS):
            return None
        return quick.of_path(tail)
    if method != "POST" or "/" in tail:
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length) or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    if int(length) > quick.LONGEST + 2:
        return None
    body = environ["wsgi.input"].read(int(length))
    # Whoever answers instead finds what came, as if nobody had read it.
    environ["wsgi.input"] = BytesIO(body)
    return quick.of_request(tail, body) if len(body) == int(length) else None


def _asks_for(environ: Environ, known: Known) -> bool:
    """Whether there is no If-None-Match, or one that names just this answer."""
    return str(environ.get("HTTP_IF_NONE_MATCH", known.etag)) == known.etag


def _later(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    headers = [*content(TRY_LATER, OCSP_TYPE), ("Cache-Control", NO_STORE), (HEADER, NOTHING)]
    start_response("200 OK", [*headers, *_ids(environ)])
    return [TRY_LATER]


def _ids(environ: Environ) -> list[tuple[str, str]]:
    return id_headers(environ.get("HTTP_X_REQUEST_ID", ""))


def _respond(
    environ: Environ, start_response: StartResponse, known: Known, now: float
) -> Iterable[bytes]:
    control = cache_control(expires=known.ends, fresh_until=known.fresh_until, now=now)
    own = [("Cache-Control", control), *_ids(environ)]
    if "HTTP_IF_NONE_MATCH" in environ and environ["REQUEST_METHOD"] == "GET":
        start_response("304 Not Modified", [*known.validators, *own])
        return []
    start_response("200 OK", [*known.content, *known.validators, *own])
    return [known.der]
