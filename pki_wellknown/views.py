"""CRL, OCSP and CA certificates for relying parties: DER out, no credentials, nothing changes.

Plain functions behind pki_wellknown.middleware.PlainPki: no session, no CSRF, no cookie. Whatever
goes wrong is answered in the protocol's own form, never as an HTML page.
"""

import base64
import binascii
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

import certificates.crl
import certificates.live_ocsp
import certificates.ocsp
from certificates import bodies, models
from certificates.models import OCSPResponse
from foundation.bodies import read_whole
from foundation.errors import ConnectorError, Invalid, TooLarge, TooMany
from foundation.middleware import remote_address
from issuers.models import Issuer
from issuers.x509.ocsp import (
    INTERNAL_ERROR,
    MALFORMED,
    TRY_LATER,
    UNAUTHORIZED,
    MalformedRequest,
    Question,
    parse,
)
from pki_wellknown import answers
from pki_wellknown.answers import CA, CRL, OCSP
from pki_wellknown.memory.clock import elapsed

logger = logging.getLogger(__name__)

# Larger than any honest question: a request for one certificate has about 100 bytes.
MAX_REQUEST = 64 * 1024
# RFC 6960 Appendix A.1 has GET for requests up to 255 bytes once encoded; longer ones work too.
MAX_ENCODED = 8 * 1024
# A base64 request begins with "M" (the SEQUENCE's 0x30), which is no hexadecimal digit, so what
# is all hexadecimal can only be a serial.
_SERIAL = re.compile(r"[0-9a-fA-F]{1,40}")

View = Callable[..., HttpResponse]


def _only(*methods: str) -> Callable[[View], View]:
    """Answer 405 to every other method."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in methods:
                return answers.not_allowed(methods)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def _or_later(view: View) -> View:
    """Answer 503 where the database is not there or something unforeseen happens."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Exception:
            logger.exception("%s could not be answered", request.path)
            return answers.unavailable("Try again in a minute.")

    return guarded


def _or_status(view: View) -> View:
    """Answer tryLater or internalError (RFC 6960 §4.2.1) in the same cases."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (DatabaseError, ConnectorError):
            logger.exception("%s cannot be answered now", request.path)
            return answers.der(request, TRY_LATER, OCSP)
        except Exception:
            logger.exception("%s could not be answered", request.path)
            return answers.der(request, INTERNAL_ERROR, OCSP)

    return guarded


@_only("GET", "HEAD")
@_or_later
def crl(request: HttpRequest, issuer: str) -> HttpResponse:
    """Give the newest CRL of the issuer (RFC 5280 §5, RFC 2585)."""
    newest = certificates.crl.current(issuer)
    if newest is None:
        if not Issuer.objects.filter(slug=issuer).exists():
            return answers.not_found()
        return answers.unavailable("There is no CRL yet.")
    return _crl(request, newest, newest)


@_only("GET", "HEAD")
@_or_later
def crl_part(request: HttpRequest, issuer: str, scope: str) -> HttpResponse:
    """Give a part of the newest CRL: a shard by its number, or its delta."""
    part = certificates.crl.current_part(issuer, scope)
    if part is None:
        if certificates.crl.has_part(issuer, scope):
            return answers.unavailable("There is no such CRL yet.")
        return answers.not_found()
    return _crl(request, part.crl, part)


def _crl(request: HttpRequest, dates: models.CRL, row: models.CRL | models.CRLPart) -> HttpResponse:
    now = timezone.now()
    if dates.next_update <= now:
        # Better none than one that says what was so some time ago.
        return answers.unavailable("The CRL has expired and the next one is not there yet.")
    return answers.cacheable(
        request,
        answers.Large(row.size, row.etag, lambda: bodies.memory.get(row.etag, row.body_id)),
        CRL,
        modified=dates.this_update,
        expires=dates.next_update,
        fresh_until=dates.next_update,
        now=now,
    )


@_only("GET", "HEAD")
@_or_later
def ca(request: HttpRequest, issuer: str) -> HttpResponse:
    """Give the issuer's certificate (caIssuers, RFC 5280 §4.2.2.1)."""
    row = Issuer.objects.filter(slug=issuer).only("certificate_pem").first()
    certificate = row.certificate if row else None
    if certificate is None:
        return answers.not_found()
    now = timezone.now()
    return answers.cacheable(
        request,
        certificate.public_bytes(Encoding.DER),
        CA,
        modified=certificate.not_valid_before_utc,
        expires=now + timedelta(days=1),
        fresh_until=now + timedelta(days=1),
        now=now,
    )


@_only("GET", "HEAD", "POST")
@_or_status
def ocsp(request: HttpRequest, issuer: str) -> HttpResponse:
    """Answer a posted OCSP request, whatever its content type says (RFC 6960 Appendix A)."""
    if request.method != "POST":
        return _refused(request, issuer, MALFORMED)
    return _answer(request, issuer, _body(request))


@_only("GET", "HEAD")
@_or_status
def ocsp_get(request: HttpRequest, issuer: str, encoded: str) -> HttpResponse:
    """Answer a request in the path: base64 of DER (RFC 6960 Appendix A), or a bare serial."""
    if _SERIAL.fullmatch(encoded):
        began = elapsed()
        response = certificates.ocsp.response_for_serial(issuer, encoded)
        return _respond(request, issuer, response, began)
    return _answer(request, issuer, _decode(encoded))


def _answer(request: HttpRequest, issuer: str, der: bytes | None) -> HttpResponse:
    try:
        question = parse(der or b"")
    except MalformedRequest:
        return _refused(request, issuer, MALFORMED)
    if not question.is_plain:
        return _answer_alone(request, issuer, question)
    began = elapsed()
    response = certificates.ocsp.response_for(issuer, question.cert_id)
    return _respond(request, issuer, response, began)


def _answer_alone(request: HttpRequest, issuer: str, question: Question) -> HttpResponse:
    """Answer what has a nonce, or names several certificates: by a signature of its own."""
    began = elapsed()
    inquiry = certificates.live_ocsp.look_up(issuer, question)
    if inquiry is None:
        return _refused(request, issuer, UNAUTHORIZED)
    try:
        signed = certificates.live_ocsp.sign(inquiry, address=remote_address(request))
    except (TooMany, ConnectorError):
        if question.others:
            # No answer that is stored speaks for all of them (RFC 6960 §4.2.2.3).
            return _refused(request, issuer, TRY_LATER)
        signed = None
    if signed is not None:
        return answers.der(request, TRY_LATER if _is_late(began) else signed, OCSP)
    began = elapsed()
    response = certificates.ocsp.response_for(issuer, question.cert_id)
    return _respond(request, issuer, response, began)


def _is_late(began: float) -> bool:
    # This process was stopped, or waited, for so long: what it read since may hold no longer.
    return elapsed() - began > settings.OCSP_PROMISE.total_seconds()


def _respond(
    request: HttpRequest, issuer: str, response: OCSPResponse | None, began: float
) -> HttpResponse:
    if response is None:
        # RFC 9919 §3.2.3: say this of every certificate that we cannot speak for.
        return _refused(request, issuer, UNAUTHORIZED)
    if not response.is_final and _is_late(began):
        return answers.der(request, TRY_LATER, OCSP)
    request.META[answers.ROW] = response
    return answers.cacheable(
        request,
        bytes(response.der),
        OCSP,
        etag=response.etag,
        modified=response.this_update,
        expires=response.next_update,
        fresh_until=certificates.ocsp.refresh_at(response),
        now=timezone.now(),
    )


def _refused(request: HttpRequest, issuer: str, status: bytes) -> HttpResponse:
    # Asked only now: an answer that exists has shown that its issuer does.
    if not Issuer.objects.filter(slug=issuer).exists():
        return answers.not_found()
    return answers.der(request, status, OCSP)


def _body(request: HttpRequest) -> bytes | None:
    try:
        read_whole(request, limit=MAX_REQUEST)
    except (TooLarge, Invalid):
        return None
    return request.body


def _decode(encoded: str) -> bytes | None:
    # Seen in the wild: a doubled slash before the request, "+" turned into a space by a proxy or
    # a form encoder, and missing padding. The URL-safe alphabet is not OCSP's.
    text = encoded.lstrip("/").replace(" ", "+")
    if len(text) > MAX_ENCODED:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
