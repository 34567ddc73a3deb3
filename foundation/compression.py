"""Pages of the admin go out compressed, in a way that tells nothing of what is secret in them.

BREACH reads a secret that is the same in many answers beside text that the attacker chooses, by
the length of what they compress to. In a page of the admin that could only be the CSRF token, and
Django masks it anew in each answer; besides, each answer gets up to 100 random bytes ("Heal the
BREACH"). Only what is looked at is compressed: an answer to GET, HTML, and no file. What a POST
answers may show a secret once; REST, relying parties and devices are answered as they were.
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from typing_extensions import override

from foundation.csp import ADMIN


class CompressedPages(GZipMiddleware):
    """Compress a page of the admin for whoever takes gzip."""

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not is_page(request, response):
            return response
        return super().process_response(request, response)


def is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether the answer is a page of the admin that was looked at."""
    return (
        request.method == "GET"
        and request.path_info.startswith(ADMIN)
        and response.headers.get("Content-Type", "").startswith("text/html")
        and "Content-Disposition" not in response.headers
    )
