"""CRLs before Django: what a process knows of the newest ones, and their bytes, from memory.

It answers the two commonest questions (give it to me; have I still the newest?), of what was asked
of the database less than a second ago; all else is handed on, to the views, which are the truth.
A test holds the two equal.
"""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import django.db
from django.db import Error as DatabaseError
from django.utils import timezone

import certificates.crl
from certificates import bodies, models
from pki_wellknown import answers
from pki_wellknown.memory.clock import elapsed

# How old what is known of the newest CRL may be. With what publishing takes it is far within the
# five seconds that a revocation may take to be seen.
CHECKED_FOR = 1.0  # seconds
# Issuers and their parts that are known at a time; addresses that lead nowhere are not kept.
MOST = 1024
_PATH = re.compile(r"/\.well-known/pki/crl/([-a-zA-Z0-9_]{1,64})(?:/(delta|0|[1-9][0-9]{0,3}))?")
# Questions that only the view answers.
_OTHERS = frozenset(
    f"HTTP_{name}"
    for name in ("RANGE", "IF_MODIFIED_SINCE", "IF_MATCH", "IF_UNMODIFIED_SINCE", "IF_RANGE")
)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of the newest CRL, and when it was that."""

    checked_at: float
    etag: str  # in quotes
    modified: str
    expires: datetime
    row: models.CRL | models.CRLPart


class CRLFront:
    """A WSGI application in front of another."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._known: dict[str, _Known] = {}
        self._asking = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer, or hand on."""
        match = _PATH.fullmatch(environ["PATH_INFO"])
        method = environ["REQUEST_METHOD"]
        if match is None or method not in {"GET", "HEAD"} or not _OTHERS.isdisjoint(environ):
            return self._application(environ, start_response)
        known = self._newest(match[0], match[1], match[2])
        asked = environ.get("HTTP_IF_NONE_MATCH")
        now = timezone.now()
        if known is None or known.expires <= now or asked not in (None, known.etag):
            return self._application(environ, start_response)
        headers = [
            ("ETag", known.etag),
            ("Last-Modified", known.modified),
            ("Expires", answers.date(known.expires.timestamp())),
            ("Cache-Control", answers.control_until(known.expires, known.expires, now)),
        ]
        if asked is not None:
            start_response("304 Not Modified", headers + answers.of_middleware(environ))
            return []
        headers += [
            ("Content-Type", answers.CRL),
            ("Content-Length", str(known.row.size)),
            ("X-Content-Type-Options", "nosniff"),
            ("Accept-Ranges", "bytes"),
        ]
        data = b"" if method == "HEAD" else self._bytes(known.row)
        if data is None:
            return self._application(environ, start_response)
        start_response("200 OK", headers + answers.of_middleware(environ))
        return [data]  # a list, as the front of OCSP says why

    def _newest(self, path: str, slug: str, scope: str | None) -> _Known | None:
        known = self._known.get(path)
        if known is not None and elapsed() - known.checked_at < CHECKED_FOR:
            return known
        if not self._asking.acquire(blocking=False):
            return None  # somebody asks just now; nobody waits for that here
        try:
            # From before the question: an answer is as old as the moment that it was asked at.
            known = self._ask(elapsed(), slug, scope)
        finally:
            self._asking.release()
        if known is None:
            self._known.pop(path, None)
            return None
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[path] = known
        return known

    def _ask(self, now: float, slug: str, scope: str | None) -> _Known | None:
        try:
            row: models.CRL | models.CRLPart | None
            if scope is None:
                row = dates = certificates.crl.current(slug)
            else:
                row = certificates.crl.current_part(slug, scope)
                dates = row.crl if row else None
        except DatabaseError:
            return None  # the view says what is to be said of that
        finally:
            _return_connections()
        if row is None or dates is None:
            return None
        modified = answers.date(dates.this_update.timestamp())
        return _Known(now, answers.quoted(row.etag), modified, dates.next_update, row)

    def _bytes(self, row: models.CRL | models.CRLPart) -> bytes | None:
        try:
            return bodies.memory.get(row.etag, row.body_id)
        except DatabaseError:
            return None
        finally:
            _return_connections()


def _return_connections() -> None:
    # As at the end of a request; inside of a transaction (a test's) they are somebody's.
    if not django.db.connection.in_atomic_block:
        django.db.close_old_connections()
