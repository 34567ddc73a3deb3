"""The short way for relying parties: past everything that people and programs need."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from issuers.pointers import PUBLISHED, is_elsewhere

PREFIX = "/.well-known/pki/"
# The shortest beginning after which one of the words follows that every address of ours has: what
# comes later may be base64, and that may look like anything.
_ALIAS = re.compile(rf"/(?:[^/]+/)*?(?=(?:{'|'.join(sorted(PUBLISHED))})/)")


class PlainPki:
    """Answer relying parties without sessions, cookies, CSRF or redirects.

    Their answers must not vary by cookie, be redirected or be compressed (RFC 9919 §6), and they
    are the hot path; so these URLs end here and no other middleware sees them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Call the view of pki_wellknown directly."""
        path = request.path_info
        if not path.startswith(PREFIX):
            return self._by_alias(request, path)
        try:
            return _answered(request, path[len(PREFIX) :])
        except Resolver404:
            return HttpResponse(
                "There is nothing at this address.\n",
                status=404,
                content_type="text/plain; charset=utf-8",
            )

    def _by_alias(self, request: HttpRequest, path: str) -> HttpResponseBase:
        tail = tail_of(path)
        if tail is None:
            return self.get_response(request)
        try:
            return _answered(request, tail)
        except Resolver404:
            return self.get_response(request)


def tail_of(path: str) -> str | None:
    """Return what is asked for under some prefix (issuers.pointers), as `crl/issuing`, or None.

    Known by its end, whatever the prefix is: those of each issuer, now and in certificates of
    years ago, are answered without being remembered or looked up.
    """
    match = _ALIAS.match(path)
    if match is None:
        return None
    return None if is_elsewhere(path[1:].split("/", 2)[:2]) else path[match.end() :]


def _answered(request: HttpRequest, tail: str) -> HttpResponseBase:
    match = resolve(f"/{tail}", "pki_wellknown.urls")
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response
