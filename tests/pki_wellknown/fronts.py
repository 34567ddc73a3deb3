"""A front over Django in the test's own process, whose follower looks when the test says so."""

import io
from dataclasses import dataclass, field

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import RequestFactory

from pki_wellknown.front import Front
from pki_wellknown.memory.follow import Follower
from pki_wellknown.memory.store import Memory

PROMISE = 5.0
RANDOM = {"X-Request-ID"}


@dataclass
class Given:
    """What came back."""

    status: str
    headers: list
    body: bytes

    def but_ids(self):
        """What two answers to the same question have in common."""
        named = [(name, value) for name, value in self.headers if name not in RANDOM]
        return self.status, named, self.body


class Still(Follower):
    """Looks when it is told to, over the test's own connection."""

    def ensure(self):
        """Start nothing."""

    def look_now(self):
        """Read the log once."""
        self.look(connection)


@dataclass
class Fronted:
    """A front, and Django behind it, which counts what is handed on."""

    most: int = 1000
    handed_on: list = field(default_factory=list)

    def __post_init__(self):
        self.django = WSGIHandler()
        self.memory = Memory(most=self.most, promised_seconds=PROMISE)
        self.follower = Still(self.memory)
        self.front = Front(self._behind, self.memory, self.follower)

    def _behind(self, environ, start_response):
        self.handed_on.append(environ)
        return self.django(environ, start_response)

    def ask(self, path, *, method="GET", body=b"", application=None, **environ):
        """Ask the front, or Django alone."""
        request = RequestFactory().generic(method, path, body, "application/ocsp-request")
        return call(application or self.front, {**request.environ, **environ})

    def slow(self, path, **options):
        """Ask Django alone."""
        return self.ask(path, application=self.django, **options)


def call(application, environ):
    """Call a WSGI application as a server does."""
    started = []
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)  # the test's own connection stays, as in Client
    try:
        body = application(environ, lambda *given: started.append(given))
        whole = b"".join(body)
        if hasattr(body, "close"):
            body.close()
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
    status, headers = started[-1][:2]
    return Given(status, list(headers), whole)


class Stopped(io.RawIOBase):
    """A body that does not come."""

    def read(self, size=-1):
        """Fail as a server does whose client is gone."""
        raise OSError
