"""The short way for devices: past everything that people and programs need."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

# Where each protocol is mounted, and its urlconf.
DOORS = {"/.well-known/est": "enrollment.est.urls", "/scep": "enrollment.scep.urls"}


class DeviceDoors:
    """Answer devices without sessions, cookies, CSRF or redirects, in their protocol's own form.

    As pki_wellknown.middleware.PlainPki does for relying parties (decision 0009). It stands before
    those that refuse in JSON (CleanHead, WholeBody): the doors bound and read bodies themselves,
    and look nothing up by a text that is not of a known form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Call the view of the door directly."""
        for prefix, urls in DOORS.items():
            rest = request.path_info.removeprefix(prefix)
            if rest != request.path_info and rest[:1] in {"", "/"}:
                return _answer(request, rest or "/", urls)
        return self.get_response(request)


def _answer(request: HttpRequest, path: str, urls: str) -> HttpResponseBase:
    try:
        match = resolve(path, urls)
    except Resolver404:
        return HttpResponse(
            "There is nothing at this address.\n",
            status=404,
            content_type="text/plain; charset=utf-8",
        )
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response
