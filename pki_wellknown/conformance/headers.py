"""What HTTP asks of all three: CRLs, CA certificates and OCSP answers (RFC 9110, 9111, 9919)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.fetching import Answer

COMPARED = ("Content-Type", "Content-Length", "ETag", "Last-Modified")
_STRONG = re.compile(r'"[\x21\x23-\x7e]+"')


def check_quiet(answer: Answer) -> None:
    """Raise Fails where an answer is for one asker alone, or is packed."""
    if answer.header("Set-Cookie"):
        raise Fails("it sets a cookie")
    if "cookie" in answer.header("Vary").lower():
        raise Fails("it varies by cookie")
    if answer.header("Content-Encoding") not in {"", "identity"}:
        raise Fails(f"Content-Encoding is {answer.header('Content-Encoding')}, unasked")


def check_head(seen: Evidence, url: str, got: Answer) -> None:
    """Raise Fails where HEAD does not say of GET what it must."""
    head = seen.fetcher.ask("HEAD", url)
    if head.status != got.status:
        raise Fails(f"HTTP {head.status} where GET has {got.status}")
    for name in COMPARED:
        if head.header(name) != got.header(name):
            raise Fails(f"{name} is {head.header(name) or 'missing'!r}")


def check_methods(seen: Evidence, url: str, methods: Iterable[str]) -> None:
    """Raise Fails where another method is not 405 with Allow."""
    for method in methods:
        answer = seen.fetcher.ask(method, url, body=b"x" if method != "DELETE" else None)
        if answer.status != 405:  # noqa: PLR2004
            raise Fails(f"{method} is HTTP {answer.status}")
        if "GET" not in answer.header("Allow").upper():
            raise Fails(f"{method} is 405 and Allow is {answer.header('Allow') or 'missing'!r}")


def check_length(answer: Answer) -> None:
    """Raise Fails where Content-Length is missing or wrong."""
    if answer.header("Content-Length") != str(len(answer.body)):
        raise Fails(f"Content-Length is {answer.header('Content-Length') or 'missing'}")


def check_etag(answer: Answer) -> None:
    """Raise Fails where there is no strong entity tag."""
    if not _STRONG.fullmatch(answer.header("ETag")):
        raise Fails(f"ETag is {answer.header('ETag') or 'missing'}")


def date_of(answer: Answer, name: str) -> datetime:
    """Return a date of HTTP; raises Fails where it is missing or not in GMT (RFC 9110 §5.6.7)."""
    text = answer.header(name)
    if not text:
        raise Fails(f"{name} is missing")
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise Fails(f"{name} is {text!r}") from None
    if not text.endswith(" GMT"):
        raise Fails(f"{name} is not in GMT: {text!r}")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def directives(answer: Answer) -> dict[str, str]:
    """Return Cache-Control's directives."""
    pairs = (one.strip().partition("=") for one in answer.header("Cache-Control").split(","))
    return {name.lower(): value for name, _, value in pairs if name}


def check_cacheable(answer: Answer, *, until: datetime, now: datetime) -> None:
    """Raise Fails where caches may not keep it, or longer than it says itself."""
    said = directives(answer)
    if "no-store" in said or "no-cache" in said or "private" in said:
        raise Fails(f"Cache-Control is {answer.header('Cache-Control')!r}")
    if "no-cache" in answer.header("Pragma").lower():
        raise Fails("there is Pragma: no-cache")
    if not said.get("max-age", "").isdigit():
        raise Fails("there is no max-age")
    # A second for the way here.
    if timedelta(seconds=int(said["max-age"])) > until - now + timedelta(seconds=1):
        raise Fails(f"max-age={said['max-age']} is longer than it is valid")


def check_unchanged(seen: Evidence, url: str, got: Answer, *, by: str, name: str) -> None:
    """Raise Fails where a condition that still holds is not 304 with the same validators."""
    value = got.header(name)
    if not value or not _STRONG.fullmatch(got.header("ETag")):
        raise NotApplicable(f"there is no {name}, or no strong ETag")
    answer = seen.fetcher.ask("GET", url, headers={by: value})
    if answer.status != 304 or answer.body:  # noqa: PLR2004
        raise Fails(f"HTTP {answer.status} with {len(answer.body)} bytes")
    if answer.header("ETag") != got.header("ETag"):
        raise Fails(f"ETag is {answer.header('ETag') or 'missing'}")
