"""What every request passes: its id, its size limit, and headers that can be read."""

import re
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from foundation import bodies
from foundation.errors import Invalid, TooLarge
from foundation.problems import problem
from foundation.texts import UnusableText, has_unusable

Handler = Callable[[HttpRequest], HttpResponseBase]
_OF_PROXIES = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-Ip",
)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def remote_address(request: HttpRequest) -> str | None:
    """Return the client's address: the peer's, or what the trusted proxies in front of us saw.

    None for what is no address, such as a Unix socket's peer or a proxy's "unknown". With N trusted
    proxies the N-th address from the right is the client's; whatever stands to the left of it was
    written by the client and is worth nothing.
    """
    if settings.TRUSTED_PROXIES:
        forwarded = request.headers.get("X-Forwarded-For", "").split(",")
        seen = [part.strip() for part in forwarded if part.strip()]
        if len(seen) >= settings.TRUSTED_PROXIES:
            return _address(seen[-settings.TRUSTED_PROXIES])
    return _address(request.META.get("REMOTE_ADDR") or "")


def is_from_this_machine(request: HttpRequest) -> bool:
    """Whether the peer itself is on the machine's loopback, and passes nobody else's request on.

    No setting makes a header trusted here: a proxy beside us is on the loopback, too, and whatever
    it adds for whom it speaks for (RFC 7239, RFC 9110 §7.6.3, X-…) says that this is somebody else.
    """
    if any(name in request.headers for name in _OF_PROXIES):
        return False
    address = _address(request.META.get("REMOTE_ADDR") or "")
    return address is not None and ip_address(address).is_loopback


def _address(text: str) -> str | None:
    try:
        # A scope (fe80::1%eth0) means something on this host alone.
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 clients as ::ffff:10.1.2.3; networks are written as IPv4.
    return str(getattr(address, "ipv4_mapped", None) or address)


class RequestId:
    """Give each request an id: for its log lines, its audit events and its answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Make an id of ours, and keep the client's beside it where it is well-formed.

        Ours is the one that leads from an answer to its events: whoever could choose it could
        have theirs look like another's.
        """
        ids = {"request_id": uuid.uuid4().hex}
        given = request.headers.get("X-Request-ID", "")
        if REQUEST_ID.fullmatch(given):
            ids["client_request_id"] = given
        for name, value in ids.items():
            request.META[f"certctl.{name}"] = value
        with structlog.contextvars.bound_contextvars(**ids):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = ids["request_id"]
        if "client_request_id" in ids:
            response.headers["X-Client-Request-ID"] = given
        return response


class CleanHead:
    """Answer 400 to a header or cookie with a NUL in it, before anything is looked up by one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Look at the headers, and at the cookies as they are read: those can be escaped."""
        if has_unusable([*request.headers.values(), *request.COOKIES.values()]):
            return problem(request, 400, UnusableText.code, UnusableText.message)
        return self.get_response(request)


class WholeBody:
    """Read the body whole, up to MAX_BODY_BYTES, before anything else is done for the request.

    So one that arrives slowly, or stops, keeps a thread waiting and nothing else: no connection to
    the database, no lock. What `settings.LARGE_BODIES` lists takes more, on disk, from a browser
    that has a session.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer 413 for what is too large, 400 for what is not what its headers say."""
        large = settings.LARGE_BODIES.get(request.path_info)
        with ExitStack() as kept:
            try:
                if large is not None and settings.SESSION_COOKIE_NAME in request.COOKIES:
                    kept.enter_context(bodies.spooled(request, limit=large))
                else:
                    bodies.read_whole(request, limit=settings.MAX_BODY_BYTES)
            except (TooLarge, Invalid) as error:
                status = 413 if isinstance(error, TooLarge) else 400
                return problem(request, status, error.code, error.detail)
            return self.get_response(request)
