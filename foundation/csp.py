"""Content-Security-Policy: what a browser may load and run for an answer of ours (CSP level 3).

No page has scripts or style elements of its own: all come from files. What is not strict is what
the admin's theme needs; decision 0032 says what and why.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
ADMIN = "/admin/"
# For whatever is no page: nothing in it is to be loaded or run, wherever it is shown.
NOTHING = "default-src 'none'; frame-ancestors 'none'"


def page(*, evaluates: bool) -> str:
    """Return the policy of a page; `evaluates` where its scripts are written in attributes."""
    scripts = "'self' 'unsafe-eval'" if evaluates else "'self'"
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


# Alpine, which the theme is made with, compiles the expressions in its templates' attributes.
OF_THE_ADMIN = page(evaluates=True)
OF_A_PAGE = page(evaluates=False)


class ContentSecurityPolicy:
    """Say with every answer what may be loaded and run for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go by what the answer is, not by what was asked for."""
        response = self.get_response(request)
        response.headers.setdefault(HEADER, _policy(request, response))
        return response


def _policy(request: HttpRequest, response: HttpResponseBase) -> str:
    if not response.headers.get("Content-Type", "").startswith("text/html"):
        return NOTHING
    return OF_THE_ADMIN if request.path_info.startswith(ADMIN) else OF_A_PAGE
