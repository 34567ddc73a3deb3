"""Rules of how OCSP answers are carried (RFC 6960 Appendix A, RFC 9919 §5 and §6)."""

import hashlib

from issuers.x509 import der
from pki_wellknown.conformance import headers, questions
from pki_wellknown.conformance.evidence import RESPONSE_TYPE, Evidence, Fails, NotApplicable
from pki_wellknown.conformance.fetching import Answer
from pki_wellknown.conformance.rules import rule


@rule("ocsp.http.type", "RFC 6960 Appendix A.2", "HTTP 200, application/ocsp-response")
def _type(seen: Evidence) -> None:
    if seen.ocsp_answer.status != 200:  # noqa: PLR2004
        raise NotApplicable("there is no answer to look at: see ocsp.answers")
    if seen.ocsp_answer.content_type != RESPONSE_TYPE:
        raise Fails(f"Content-Type is {seen.ocsp_answer.content_type or 'missing'}")


@rule(
    "ocsp.http.errors", "RFC 6960 Appendix A.2", "refusals too are HTTP 200, of that type, in DER"
)
def _errors(seen: Evidence) -> None:
    answer = seen.post(b"")
    if answer.status != 200 or answer.content_type != RESPONSE_TYPE:  # noqa: PLR2004
        raise Fails(f"HTTP {answer.status}, {answer.content_type or 'no type'}")
    headers.check_length(answer)


@rule("ocsp.http.length", "RFC 9110 §8.6", "Content-Length is right")
def _length(seen: Evidence) -> None:
    headers.check_length(_signed_by_post(seen))


@rule("ocsp.http.quiet", "RFC 9919 §6", "no cookie, no Vary by cookie, no compression unasked")
def _quiet(seen: Evidence) -> None:
    headers.check_quiet(seen.ocsp_answer)


@rule("ocsp.http.etag", "RFC 9919 §6.2", "ETag is the SHA-256 of the answer, in hexadecimal")
def _etag(seen: Evidence) -> None:
    answer = _signed_by_get(seen)
    headers.check_etag(answer)
    if answer.header("ETag").strip('"').lower() != hashlib.sha256(answer.body).hexdigest():
        raise Fails(f"it is {answer.header('ETag')}")


@rule("ocsp.http.last-modified", "RFC 9919 §6.2", "Last-Modified is thisUpdate")
def _last_modified(seen: Evidence) -> None:
    answer = _signed_by_get(seen)
    response = seen.read(answer)
    date = headers.date_of(answer, "Last-Modified")
    if response is None or date != der.time_of(response.singles[0].this_update):
        raise Fails(f"it is {answer.header('Last-Modified')}")


@rule("ocsp.http.expires", "RFC 9919 §6.2", "Expires, in GMT, is nextUpdate")
def _expires(seen: Evidence) -> None:
    answer = _signed_by_get(seen)
    response = seen.read(answer)
    if response is None or response.singles[0].next_update is None:
        raise NotApplicable("there is no nextUpdate")
    if headers.date_of(answer, "Expires") != der.time_of(response.singles[0].next_update):
        raise Fails(f"it is {answer.header('Expires')}")


@rule("ocsp.http.date", "RFC 9919 §6.2", "Date is there, in GMT")
def _date(seen: Evidence) -> None:
    headers.date_of(_signed_by_get(seen), "Date")


@rule(
    "ocsp.http.cache", "RFC 9919 §6.2", "caches may keep it, less long than it is valid, as it is"
)
def _cache(seen: Evidence) -> None:
    answer = _signed_by_get(seen)
    response = seen.read(answer)
    if response is None or response.singles[0].next_update is None:
        raise NotApplicable("there is no nextUpdate")
    until = der.time_of(response.singles[0].next_update)
    headers.check_cacheable(answer, until=max(until, seen.began), now=seen.began)
    lacking = {"public", "no-transform", "must-revalidate"} - headers.directives(answer).keys()
    if lacking:
        raise Fails(f"Cache-Control lacks {', '.join(sorted(lacking))}")


@rule("ocsp.http.refusals-cache", "RFC 9919 §6.2", "no cache keeps what is not signed")
def _refusals_cache(seen: Evidence) -> None:
    answer = seen.get_ocsp("MAA=")
    response = seen.read(answer)
    if response is None or response.status == 0:
        raise NotApplicable("an empty question is not refused in OCSP")
    said = headers.directives(answer)
    if "no-cache" not in said and "no-store" not in said:
        raise Fails(f"Cache-Control is {answer.header('Cache-Control') or 'missing'}")


@rule("ocsp.http.if-none-match", "RFC 9110 §13.1.2", "who has the answer already gets 304")
def _if_none_match(seen: Evidence) -> None:
    headers.check_unchanged(seen, _url(seen), _signed_by_get(seen), by="If-None-Match", name="ETag")


@rule("ocsp.http.head", "RFC 9110 §9.3.2", "HEAD has the headers of GET")
def _head(seen: Evidence) -> None:
    headers.check_head(seen, _url(seen), _signed_by_get(seen))


@rule("ocsp.http.methods", "RFC 9110 §15.5.6", "other methods are 405 with Allow")
def _methods(seen: Evidence) -> None:
    headers.check_methods(seen, seen.ocsp_url, ("PUT", "DELETE"))


@rule("ocsp.http.unknown", "RFC 9110 §15.5.5", "an issuer that there is none of is 404")
def _unknown(seen: Evidence) -> None:
    question = questions.request(seen.cert_id(seen.never_issued))
    status = seen.fetcher.ask("POST", seen.aside("ocsp"), body=question).status
    if status != 404:  # noqa: PLR2004
        raise Fails(f"HTTP {status}")


def _url(seen: Evidence) -> str:
    encoded = questions.in_path(questions.request(seen.asked))
    return f"{seen.ocsp_url.rstrip('/')}/{encoded}"


def _signed_by_post(seen: Evidence) -> Answer:
    seen.response  # noqa: B018 - NotApplicable where nothing is signed
    return seen.ocsp_answer


def _signed_by_get(seen: Evidence) -> Answer:
    answer = seen.get(_url(seen))
    response = seen.read(answer)
    if answer.status != 200 or response is None or not response.singles:  # noqa: PLR2004
        raise NotApplicable("GET gets no signed answer: see ocsp.get")
    return answer
