"""Rules of what a responder makes of questions (RFC 6960 §4.1, RFC 9919 §3.1, RFC 9654)."""

import secrets
from dataclasses import replace

from cryptography import x509
from cryptography.x509.oid import NameOID

from issuers.x509.ocsp import CertID
from pki_wellknown.conformance import questions
from pki_wellknown.conformance.evidence import RESPONSE_TYPE, Evidence, Fails, NotApplicable
from pki_wellknown.conformance.fetching import Answer
from pki_wellknown.conformance.rules import rule

SUCCESSFUL, MALFORMED = 0, 1
REFUSALS = {5, 6}  # sigRequired, unauthorized
LARGE = 100_000
MAX_NONCE = 128  # RFC 9654 §2.1


@rule("ocsp.answers", "RFC 6960 §2.1", "a certificate of the CA gets a signed answer")
def _answers(seen: Evidence) -> None:
    said = seen.said(seen.ocsp_answer)
    if said.startswith("status"):
        raise Fails(f"serial {seen.known_serial:x}: {said}")


@rule("ocsp.get", "RFC 6960 Appendix A.1", "the same is answered to GET as to POST")
def _get(seen: Evidence) -> None:
    encoded = questions.in_path(questions.request(seen.asked))
    _as_posted(seen, seen.ocsp_answer, seen.get_ocsp(encoded))


@rule("ocsp.get.plain", "RFC 6960 Appendix A.1", "a GET with plain / and + in its base64 is read")
def _get_plain(seen: Evidence) -> None:
    question = questions.request(seen.cert_id(seen.never_issued))
    answer = seen.get_ocsp(questions.in_path(question, safe="/+="))
    _as_posted(seen, seen.post(question), answer)


@rule("ocsp.get.escaped", "RFC 3986 §2.1", "a GET with %2F, %2B and %3D in its base64 is read")
def _get_escaped(seen: Evidence) -> None:
    question = questions.request(seen.cert_id(seen.never_issued))
    _as_posted(seen, seen.post(question), seen.get_ocsp(questions.in_path(question)))


@rule("ocsp.get.lower", "RFC 3986 §6.2.2.1", "a GET with %2f, %2b and %3d in its base64 is read")
def _get_lower(seen: Evidence) -> None:
    question = questions.request(seen.cert_id(seen.never_issued))
    _as_posted(seen, seen.post(question), seen.get_ocsp(questions.in_path(question, lower=True)))


@rule("ocsp.type-of-request", "RFC 6960 Appendix A.1", "another content type gets a DER answer too")
def _type_of_request(seen: Evidence) -> None:
    seen.status_of(seen.post(questions.request(seen.cert_id(seen.never_issued)), "text/plain"))


@rule("ocsp.malformed.empty", "RFC 6960 §2.3", "an empty question is malformedRequest")
def _empty(seen: Evidence) -> None:
    _is_malformed(seen, seen.post(b""))


@rule("ocsp.malformed.garbage", "RFC 6960 §2.3", "garbage is malformedRequest")
def _garbage(seen: Evidence) -> None:
    _is_malformed(seen, seen.post(b"\x30\x82\xff\xff garbage"))


@rule("ocsp.malformed.trailing", "RFC 6960 §2.3", "bytes after a question make it malformed")
def _trailing(seen: Evidence) -> None:
    question = questions.request(seen.cert_id(seen.never_issued))
    _is_malformed(seen, seen.post(question + b"\x00"))


@rule("ocsp.malformed.get", "RFC 6960 §2.3", "garbage in a path is malformedRequest")
def _garbage_in_path(seen: Evidence) -> None:
    _is_malformed(seen, seen.get_ocsp("MEUwQzBB~not-base64"))


@rule("ocsp.too-large", "RFC 6960 §2.3", "100 kB are malformedRequest, or refused by HTTP")
def _too_large(seen: Evidence) -> None:
    answer = seen.post(b"\x30" * LARGE)
    if answer.status != 413:  # noqa: PLR2004 - content too large
        _is_malformed(seen, answer)


@rule("ocsp.hash.sha1", "RFC 6960 §4.3", "CertIDs with SHA-1 are understood")
def _sha1(seen: Evidence) -> None:
    _understands(seen, "sha1")


@rule("ocsp.hash.sha256", "RFC 9919 §3.1.1", "CertIDs with SHA-256 are understood")
def _sha256(seen: Evidence) -> None:
    _understands(seen, "sha256")


@rule("ocsp.wrong-name", "RFC 6960 §4.1.1", "another issuer's name hash is never good")
def _wrong_name(seen: Evidence) -> None:
    asked = seen.cert_id(seen.known_serial)
    _is_not_good(seen, replace(asked, name_hash=secrets.token_bytes(len(asked.name_hash))))


@rule("ocsp.wrong-key", "RFC 6960 §4.1.1", "another issuer's key hash is never good")
def _wrong_key(seen: Evidence) -> None:
    asked = seen.cert_id(seen.known_serial)
    _is_not_good(seen, replace(asked, key_hash=secrets.token_bytes(len(asked.key_hash))))


@rule("ocsp.never-issued", "BR 4.9.10, RFC 6960 §2.2", "what was never issued is not good")
def _never_issued(seen: Evidence) -> None:
    _is_not_good(seen, seen.cert_id(seen.never_issued))


@rule(
    "ocsp.several", "RFC 6960 §4.2.2.3", "several CertIDs get an answer each, or malformedRequest"
)
def _several(seen: Evidence) -> None:
    _is_answered(seen)
    asked = [seen.asked, seen.cert_id(seen.known_serial, "sha256")]
    answer = seen.post(questions.request(*asked))
    if seen.status_of(answer) == MALFORMED:
        return
    response = seen.read(answer)
    got = [one.cert_id for one in response.singles] if response else []
    if sorted(got) != sorted(one.encode() for one in asked):
        raise Fails(f"{len(got)} answer(s) to {len(asked)} questions")


@rule("ocsp.many", "RFC 6960 §2.3", "a thousand CertIDs get a DER answer")
def _many(seen: Evidence) -> None:
    first = seen.never_issued
    cert_ids = [replace(seen.cert_id(first), serial=first + count) for count in range(1000)]
    answer = seen.post(questions.request(*cert_ids))
    if answer.status != 413:  # noqa: PLR2004 - content too large
        seen.status_of(answer)


@rule("ocsp.requestor", "RFC 9919 §3.1.2", "a requestorName without a signature is as if not there")
def _requestor(seen: Evidence) -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pki_conformance")])
    _as_posted(seen, seen.ocsp_answer, seen.post(questions.request(seen.asked, requestor=name)))


@rule("ocsp.extension", "RFC 6960 §4.4", "an unknown extension that is not critical is ignored")
def _extension(seen: Evidence) -> None:
    extension = questions.extension(questions.UNKNOWN, b"\x05\x00")
    _as_posted(
        seen, seen.ocsp_answer, seen.post(questions.request(seen.asked, extensions=[extension]))
    )


@rule("ocsp.extension.critical", "RFC 6960 §4.4", "an unknown critical extension is refused")
def _critical(seen: Evidence) -> None:
    extension = questions.extension(questions.UNKNOWN, b"\x05\x00", critical=True)
    answer = seen.post(questions.request(seen.asked, extensions=[extension]))
    if seen.status_of(answer) == SUCCESSFUL:
        raise Fails("it is answered")


@rule("ocsp.nonce.echo", "RFC 9654 §2.1", "a nonce comes back byte for byte, or not at all")
def _nonce(seen: Evidence) -> None:
    _is_answered(seen)
    silent = True
    for size in (1, 16, 32, MAX_NONCE):
        asked = secrets.token_bytes(size)
        response = seen.read(_with_nonce(seen, asked))
        if response is None or response.status != SUCCESSFUL:
            raise Fails(f"a question with a nonce of {size} octets gets no signed answer")
        if response.nonce is not None:
            silent = False
            if response.nonce != asked:
                raise Fails(f"another one of {len(response.nonce)} octets came back")
    if silent:
        raise NotApplicable("the responder leaves nonces out, which RFC 9654 §2.1 allows")


@rule("ocsp.nonce.unasked", "RFC 9654 §2.1", "no nonce comes where none was sent")
def _unasked(seen: Evidence) -> None:
    # After one was: what was signed for one asker is not for others.
    _with_nonce(seen, secrets.token_bytes(32))
    response = seen.read(seen.post(questions.request(seen.asked)))
    if response is None or response.status != SUCCESSFUL:
        raise NotApplicable("there is no signed answer to look at")
    if response.nonce is not None:
        raise Fails(f"one of {len(response.nonce)} octets")


@rule("ocsp.nonce.empty", "RFC 9654 §2.1", "a nonce of no octets is malformedRequest")
def _nonce_empty(seen: Evidence) -> None:
    _is_malformed(seen, _with_nonce(seen, b""))


@rule("ocsp.nonce.long", "RFC 9654 §2.1", "a nonce of more than 128 octets is malformedRequest")
def _nonce_long(seen: Evidence) -> None:
    _is_malformed(seen, _with_nonce(seen, secrets.token_bytes(MAX_NONCE + 1)))


@rule("ocsp.nonce.cache", "RFC 9111 §3", "no cache keeps an answer that has a nonce")
def _nonce_cache(seen: Evidence) -> None:
    question = questions.request(seen.asked, extensions=[questions.nonce(secrets.token_bytes(32))])
    answer = seen.get_ocsp(questions.in_path(question))
    response = seen.read(answer)
    if response is None or response.nonce is None:
        raise NotApplicable("the responder leaves nonces out")
    said = answer.header("Cache-Control").lower()
    if "no-store" not in said and "no-cache" not in said and "max-age=0" not in said:
        raise Fails(f"Cache-Control is {said or 'missing'}")


def _is_answered(seen: Evidence) -> None:
    seen.response  # noqa: B018 - NotApplicable where nothing is signed


def _with_nonce(seen: Evidence, octets: bytes) -> Answer:
    return seen.post(questions.request(seen.asked, extensions=[questions.nonce(octets)]))


def _as_posted(seen: Evidence, posted: Answer, other: Answer) -> None:
    """Fails where two answers do not say the same; each may be signed for itself."""
    one, two = seen.said(posted), seen.said(other)
    if one != two:
        raise Fails(f"{two}, where a plain POST has {one}")


def _is_malformed(seen: Evidence, answer: Answer) -> None:
    status = seen.status_of(answer)
    if status != MALFORMED:
        raise Fails(f"status {status}")
    if answer.content_type != RESPONSE_TYPE:
        raise NotApplicable(f"Content-Type is {answer.content_type}: see ocsp.http.errors")


def _understands(seen: Evidence, algorithm: str) -> None:
    _is_answered(seen)
    asked = seen.cert_id(seen.known_serial, algorithm)
    answer = seen.post(questions.request(asked))
    if seen.status_of(answer) != SUCCESSFUL:
        raise Fails(seen.said(answer))


def _is_not_good(seen: Evidence, asked: CertID) -> None:
    answer = seen.post(questions.request(asked))
    if seen.said(answer) == "good":
        raise Fails(f"{asked.serial:x} is good")
