"""Before Django: give OCSP answers that are in memory, and hand on everything else untouched.

No request object, no middleware, no query: a look at the WSGI environ, one at the memory. What is
said here is, header by header, what the view says (tests hold the two equal), for the view gave it
a moment ago. Whatever is not the common question goes to Django, which is the one source of truth.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.conf import settings

from certificates.models import OCSPResponse
from issuers.x509.ocsp import TRY_LATER
from pki_wellknown import answers
from pki_wellknown.memory import quick
from pki_wellknown.memory.answer import Answer
from pki_wellknown.memory.clock import elapsed
from pki_wellknown.memory.figures import Figures
from pki_wellknown.memory.follow import Follower
from pki_wellknown.memory.store import Memory, Question
from pki_wellknown.middleware import PREFIX, tail_of

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]
_OCSP = "ocsp/"
OCSP = f"{PREFIX}{_OCSP}"
_SERIAL = re.compile(r"[0-9a-fA-F]{1,40}")
_OK, _NOT_MODIFIED = "200 OK", "304 Not Modified"
# Of addresses that are remembered as read, and how long one is that holds a common question, under
# a prefix of up to so many characters.
_PATHS = 16384
_PREFIX = 128
_LONGEST = _PREFIX + len(_OCSP) + 64 + 1 + quick.MAX_TEXT + 1


class Front:
    """A WSGI application in front of another."""

    def __init__(self, application: Application, memory: Memory, follower: Follower) -> None:
        self.application, self.memory, self.follower = application, memory, follower

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer what is known."""
        path: str = environ["PATH_INFO"]
        # By far the most come under the one prefix; another one has to be found in the address.
        is_ours = path.startswith(OCSP) or (f"/{_OCSP}" in path and _tail(path) is not None)
        if not is_ours or environ.get("SCRIPT_NAME"):
            return self.application(environ, start_response)
        question = _question(environ, path)
        if question is None:
            return self.application(environ, start_response)
        # The time is taken now: a body may have been long in coming.
        known = self.memory.say(question, elapsed())
        if known is not None:
            body = _give(environ, start_response, *known)
            if body is not None:
                return body
        # Here too, for only who follows sees that the database is back: a thread may have died.
        self.follower.ensure()
        if self.follower.is_away:
            # Each would wait for a connection, and keep a thread from those who can be answered.
            return _later(environ, start_response)
        return self._learn(question, environ, start_response)

    def _learn(self, question: Question, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Have Django answer, and remember what it said."""
        seen, began = self.memory.confirmation, elapsed()
        held: list[Any] = []
        body = self.application(environ, lambda *given: held.append(given))
        row: OCSPResponse | None = environ.get(answers.ROW)
        if row is not None:
            if not row.is_final and elapsed() - began > self.memory.promised_seconds:
                # This process was stopped, or waited, for so long: what it read may hold no longer.
                _close(body)
                return _later(environ, start_response)
            if isinstance(question[1], int) or quick.is_common(question[1]):
                self.memory.put(question, Answer(row), seen)
        start_response(*held[-1])
        return body


def _question(environ: Environ, path: str) -> Question | None:
    """Return what is asked; None for what is none of ours to read."""
    if len(path) > _LONGEST:
        return None
    method = environ["REQUEST_METHOD"]
    if method == "POST":
        slug = _slug(path)
        body = _body(environ) if slug is not None else None
        return (slug, body) if slug is not None and body else None
    if method not in {"GET", "HEAD"}:
        return None
    # What may make another answer of it: the view knows.
    if "HTTP_IF_MATCH" in environ or "HTTP_IF_UNMODIFIED_SINCE" in environ:
        return None
    return _in_path(path)


# The same addresses come again and again, and reading one costs more than looking it up.
@lru_cache(_PATHS)
def _in_path(path: str) -> Question | None:
    """Return what is asked by a GET of this address: the question in base64, or a bare serial."""
    slug, _, rest = (_tail(path) or "").partition("/")
    if rest.startswith("M"):
        der = quick.decode(rest)
        return (slug, der) if der else None
    return (slug, int(rest, 16)) if _SERIAL.fullmatch(rest) else None


@lru_cache(_PATHS)
def _slug(path: str) -> str | None:
    """Return whom a POST to this address asks; None where there is something behind it."""
    slug, _, rest = (_tail(path) or "").partition("/")
    return None if rest else slug


def _tail(path: str) -> str | None:
    """Return what follows `ocsp/`, under our prefix or an issuer's own; None elsewhere."""
    if path.startswith(OCSP):
        return path[len(OCSP) :]
    tail = tail_of(path)
    return tail[len(_OCSP) :] if tail is not None and tail.startswith(_OCSP) else None


def _body(environ: Environ) -> bytes | None:
    """Read a body that has the size of the common question, and leave it there for Django.

    Larger ones, and those of another transfer coding, are not touched.
    """
    length: str = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdecimal() and len(length) <= 3):  # noqa: PLR2004
        return None
    if not 0 < int(length) <= quick.MAX_BYTES or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    try:
        body: bytes = environ["wsgi.input"].read(int(length))
    except OSError:
        body = b""  # it stopped: too short for Django too, which says so
    environ["wsgi.input"] = BytesIO(body)
    return body if len(body) == int(length) else None


def _give(
    environ: Environ, start_response: Any, answer: Answer, now: float
) -> Iterable[bytes] | None:
    """Send it; None where a condition has to be weighed first."""
    method = environ["REQUEST_METHOD"]
    unchanged = False
    if method != "POST":
        tag, since = environ.get("HTTP_IF_NONE_MATCH"), environ.get("HTTP_IF_MODIFIED_SINCE")
        if tag:
            unchanged = tag == answer.etag
        elif since:
            unchanged = since == answer.modified
        if not unchanged and (tag or since):
            return None
    headers = [*answer.headers_at(now, unchanged=unchanged), *answers.ids(environ)]
    start_response(_NOT_MODIFIED if unchanged else _OK, headers)
    # A list: granian sends one at once, and asks for the next piece of any other by another thread.
    return [] if unchanged or method == "HEAD" else [answer.der]


def _later(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Say tryLater (RFC 6960 §4.2.1), which no cache may keep."""
    headers = [
        ("Content-Type", answers.OCSP),
        ("Content-Length", str(len(TRY_LATER))),
        ("Cache-Control", answers.NO_STORE),
        ("X-Content-Type-Options", "nosniff"),
        *answers.of_middleware(environ),
    ]
    start_response(_OK, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [TRY_LATER]


def _close(body: Any) -> None:
    # WSGI's promise to whoever made it (PEP 3333): Django ends the request here.
    if hasattr(body, "close"):
        body.close()


def in_front_of(application: Application) -> Front:
    """Put a front with a memory of its own, by the settings, before Django's application."""
    memory = Memory(
        most=settings.OCSP_MEMORY, promised_seconds=settings.OCSP_PROMISE.total_seconds()
    )
    return Front(application, memory, Follower(memory, Figures(memory)))
