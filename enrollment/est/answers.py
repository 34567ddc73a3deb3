"""EST's answers as HTTP (RFC 7030 §4): what is given out, and one line of text for all else."""

from django.http import HttpRequest, HttpResponse

from enrollment.models import Label
from enrollment.replies import closed, said, words
from foundation.outcomes import Outcome

NOT_FOUND, TRY_LATER = 404, 503


def give(request: HttpRequest, body: bytes, content_type: str) -> HttpResponse:
    """Return 200 with a body of base64. No Content-Transfer-Encoding: RFC 8951 §2 is rid of it."""
    return closed(
        HttpResponse(b"" if request.method == "HEAD" else body, content_type=content_type), body
    )


def in_its_lines(request: HttpRequest, text: bytes) -> bytes:
    """Return base64 as who asks can read it: in lines, but in one for strongSwan's `pki`.

    RFC 8951 §3.1 has clients read both. OpenSSL and libest read nothing without line breaks, and
    strongSwan's `pki --est` reads nothing with them; it is the client that says neither what it is
    (User-Agent) nor what it takes (Accept), which those and all browsers' kin do.
    """
    names_itself = "User-Agent" in request.headers or "Accept" in request.headers
    return text if names_itself else text.replace(b"\n", b"")


def wait(seconds: float, text: str) -> HttpResponse:
    """Return 202: the same request again, after a while (RFC 7030 §4.2.3)."""
    response = words(202, text)
    response["Retry-After"] = str(int(seconds) + 1)
    return response


def refuse(outcome: Outcome, label: Label | None) -> HttpResponse:
    """Return what went wrong in words; 401 asks for HTTP Basic (RFC 7030 §3.2.3)."""
    # Of the protocol's own there are no others: what somebody behind us did wrong passes, too.
    status = outcome.status if outcome.status < 500 else TRY_LATER  # noqa: PLR2004 - HTTP's own
    response = words(status, said(outcome))
    for name, value in outcome.headers.items():
        response[name] = value
    if status == TRY_LATER and "Retry-After" not in response:
        response["Retry-After"] = "60"
    if status == 401:  # noqa: PLR2004 - HTTP's own
        realm = f"est/{label.path}" if label else "est"
        response["WWW-Authenticate"] = f'Basic realm="{realm}", charset="UTF-8"'
    return response
