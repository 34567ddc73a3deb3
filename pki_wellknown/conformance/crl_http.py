"""Rules of how a CRL is served (RFC 2585, RFC 9110, RFC 9111)."""

from datetime import timedelta

from issuers.x509 import der
from pki_wellknown.conformance import headers
from pki_wellknown.conformance.evidence import Evidence, Fails, NotApplicable
from pki_wellknown.conformance.rules import rule


@rule("crl.http.status", "RFC 5280 §4.2.1.13", "the CRL is served without credentials")
def _status(seen: Evidence) -> None:
    if seen.crl_answer.status != 200:  # noqa: PLR2004
        raise Fails(f"HTTP {seen.crl_answer.status}")


@rule("crl.http.type", "RFC 2585 §4.2", "its media type is application/pkix-crl")
def _type(seen: Evidence) -> None:
    _served(seen)
    if seen.crl_answer.content_type != "application/pkix-crl":
        raise Fails(f"Content-Type is {seen.crl_answer.content_type or 'missing'}")


@rule("crl.http.length", "RFC 9110 §8.6", "Content-Length is right")
def _length(seen: Evidence) -> None:
    _served(seen)
    headers.check_length(seen.crl_answer)


@rule("crl.http.quiet", "RFC 9111 §3", "no cookie, no Vary by cookie, no compression unasked")
def _quiet(seen: Evidence) -> None:
    _served(seen)
    headers.check_quiet(seen.crl_answer)


@rule("crl.http.etag", "RFC 9110 §8.8.3", "there is a strong ETag")
def _etag(seen: Evidence) -> None:
    _served(seen)
    headers.check_etag(seen.crl_answer)


@rule("crl.http.last-modified", "RFC 9110 §8.8.2", "Last-Modified is thisUpdate")
def _last_modified(seen: Evidence) -> None:
    _served(seen)
    date = headers.date_of(seen.crl_answer, "Last-Modified")
    if date != der.time_of(seen.crl.this_update):
        raise Fails(f"it is {seen.crl_answer.header('Last-Modified')}")


@rule("crl.http.expires", "RFC 9111 §5.3", "Expires, in GMT, is nextUpdate or before it")
def _expires(seen: Evidence) -> None:
    _served(seen)
    if seen.crl.next_update is None:
        raise NotApplicable("there is no nextUpdate")
    date = headers.date_of(seen.crl_answer, "Expires")
    if date > der.time_of(seen.crl.next_update):
        raise Fails(f"it is {seen.crl_answer.header('Expires')}")


@rule("crl.http.cache", "RFC 9111 §5.2", "caches may keep it, and not past nextUpdate")
def _cache(seen: Evidence) -> None:
    _served(seen)
    if seen.crl.next_update is None:
        raise NotApplicable("there is no nextUpdate")
    until = max(der.time_of(seen.crl.next_update), seen.began + timedelta(0))
    headers.check_cacheable(seen.crl_answer, until=until, now=seen.began)


@rule("crl.http.if-none-match", "RFC 9110 §13.1.2", "who has it already gets 304")
def _if_none_match(seen: Evidence) -> None:
    _served(seen)
    headers.check_unchanged(seen, seen.crl_url, seen.crl_answer, by="If-None-Match", name="ETag")


@rule("crl.http.if-modified-since", "RFC 9110 §13.1.3", "who has it since then gets 304")
def _if_modified_since(seen: Evidence) -> None:
    _served(seen)
    headers.check_unchanged(
        seen, seen.crl_url, seen.crl_answer, by="If-Modified-Since", name="Last-Modified"
    )


@rule("crl.http.head", "RFC 9110 §9.3.2", "HEAD has the headers of GET")
def _head(seen: Evidence) -> None:
    _served(seen)
    headers.check_head(seen, seen.crl_url, seen.crl_answer)


@rule("crl.http.methods", "RFC 9110 §15.5.6", "other methods are 405 with Allow")
def _methods(seen: Evidence) -> None:
    headers.check_methods(seen, seen.crl_url, ("POST", "PUT", "DELETE"))


@rule("crl.http.unknown", "RFC 9110 §15.5.5", "an issuer that there is none of is 404")
def _unknown(seen: Evidence) -> None:
    status = seen.get(seen.aside("crl")).status
    if status != 404:  # noqa: PLR2004
        raise Fails(f"HTTP {status}")


@rule("http.legacy", "certctl", "nothing is at the addresses of old, under /api/")
def _legacy(seen: Evidence) -> None:
    if not seen.target.legacy:
        raise NotApplicable("this is no address of certctl's")
    for url in seen.target.legacy:
        status = seen.get(url).status
        if status != 404:  # noqa: PLR2004
            raise Fails(f"{url} is HTTP {status}")


def _served(seen: Evidence) -> None:
    if seen.crl_answer.status != 200:  # noqa: PLR2004
        raise NotApplicable("no CRL is served")
