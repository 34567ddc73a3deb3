"""The short way for relying parties: past everything that people and programs need."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

PREFIX = "/.well-known/pki/"


class PlainPki:
    """Answer relying parties without sessions, cookies, CSRF or redirects.

    Their answers must not vary by cookie, be redirected or be compressed (RFC 9919 §6), and they
    are the hot path; so these URLs end here and no other middleware sees them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Call the view of pki_wellknown directly."""
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        try:
            match = resolve("/" + request.path_info[len(PREFIX) :], "pki_wellknown.urls")
        except Resolver404:
            return HttpResponse(
                "There is nothing at this address.\n",
                status=404,
                content_type="text/plain; charset=utf-8",
            )
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response
