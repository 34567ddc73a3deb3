"""SCEP's operations (RFC 8894 §4): plain functions behind enrollment.middleware.

No session, no CSRF, no cookie, no API key, and plain http: the messages protect themselves. What
can be answered by a CertRep is, whatever became of it; all else is one line of text/plain, and
nothing becomes a 500.
"""

import logging
from functools import partial

from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse

import issuers.services
from audit.via import Via
from enrollment import door, ra_keys
from enrollment.cms.signed import HeldElsewhere, Signer
from enrollment.models import Label
from enrollment.replies import not_allowed
from enrollment.scep import answers, failures, message, operations, replies
from enrollment.scep.message import NotAMessage
from enrollment.scep.operations import Question
from enrollment.states import Protocol
from foundation.bodies import BadBody, read_whole
from foundation.clock import database_clock
from foundation.errors import Invalid, NotFound, TooMany
from foundation.outcomes import Outcome
from issuers.x509 import certs

logger = logging.getLogger(__name__)

ACTION = "enrollment.request"  # what is asked for here, in the trail
BROKEN = Outcome(503, "unavailable", "Try again in a minute.")
GET, BOTH = ("GET",), ("GET", "POST")


class NoOperation(Invalid):
    """The query names no operation of SCEP's: HTTP 400."""

    code = "unknown_operation"
    message = "Give ?operation=GetCACaps, GetCACert, GetNextCACert or PKIOperation (RFC 8894 §4.1)."


class NoSuccessor(NotFound):
    """The label's issuer names none (RFC 8894 §4.7)."""

    code = "no_successor"
    message = "This CA has no successor yet."


def scep(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer one operation at a label; the default one where none is named."""
    at: list[Label] = []
    via: Via | None = None
    try:
        via = door.via_at(request, Protocol.SCEP)
        return _answered(request, path, via, at)
    except Exception as error:  # noqa: BLE001 - each is looked at
        return _refused(request, error, via, at[0] if at else None)


def _answered(request: HttpRequest, path: str, via: Via, at: list[Label]) -> HttpResponse:
    operation = _parameter(request, "operation")
    if operation == "PKIOperation":
        if request.method not in BOTH:
            return not_allowed(BOTH)
        return _pki_operation(request, path, via, at)
    if request.method not in GET:
        return not_allowed(GET if operation in _PUBLIC else BOTH)
    if operation not in _PUBLIC:
        raise NoOperation
    door.take_turn(via)
    at.append(door.label_at(Protocol.SCEP, path))
    return _PUBLIC[operation](at[0])


def _capabilities(label: Label) -> HttpResponse:
    """Say what is spoken here (RFC 8894 §3.5)."""
    lines = answers.capabilities(
        legacy=label.legacy_algorithms, next_ca=label.issuer.successor is not None
    )
    return replies.give(lines, answers.CAPABILITIES)


def _ca_certificates(label: Label) -> HttpResponse:
    """Give the RA certificate that requests are encrypted to, and the CA's with those above it."""
    newest = ra_keys.certificates_of(label, database_clock.now())
    if not newest:
        raise ra_keys.NoRA
    chain = certs.load_all(label.issuer.own_chain_pem)
    kind, body = answers.ca_certificates([certs.load(newest[0].pem), *chain])
    return replies.give(body, kind)


def _next_ca(label: Label) -> HttpResponse:
    """Give the certificates of the CA to come, signed by that of today (RFC 8894 §4.7)."""
    successor = label.issuer.successor
    if successor is None:
        raise NoSuccessor
    ca = label.issuer.certificate
    assert ca is not None  # noqa: S101 - whoever has a successor has one
    key = HeldElsewhere(
        isinstance(ca.public_key(), rsa.RSAPublicKey),
        partial(issuers.services.sign_attributes, label.issuer),
    )
    body = answers.next_ca_certificates(
        certs.load_all(successor.own_chain_pem), Signer(ca, key), signing_time=database_clock.now()
    )
    return replies.give(body, answers.NEXT_CA_CERTIFICATE)


_PUBLIC = {
    "GetCACaps": _capabilities,
    "GetCACert": _ca_certificates,
    "GetNextCACert": _next_ca,
}


def _pki_operation(request: HttpRequest, path: str, via: Via, at: list[Label]) -> HttpResponse:
    too_many = _too_many(via)
    at.append(door.label_at(Protocol.SCEP, path))
    try:
        sent = message.parse(_body(request))
    except NotAMessage as error:
        if too_many is not None:
            raise too_many from None
        raise BadBody(str(error)) from None
    now = database_clock.now()
    ra = operations.addressed(sent, ra_keys.open_keys(at[0], now))
    question = Question(at[0], via, sent, ra)
    by = operations.signing(question, now)
    try:
        body = operations.answer(question, by, instead=too_many)
    except Exception as error:
        outcome = failures.outcome_in(error)
        if outcome is None or failures.is_passing(outcome):
            raise
        door.tell_refusal(error, outcome, via=via, action=ACTION, label=at[0])
        body = answers.failure(sent, *failures.failure_of(error, outcome), by)
    return replies.give(body, answers.PKI_MESSAGE)


def _too_many(via: Via) -> TooMany | None:
    """Return what whoever asks too often hears: in SCEP's words where there is a message."""
    try:
        door.take_turn(via)
    except TooMany as error:
        return error
    return None


def _body(request: HttpRequest) -> bytes:
    """Return the message as it was sent, by POST or in the query of a GET; raises NotAMessage."""
    if request.method == "POST":
        read_whole(request, limit=message.MAX_BYTES)
        return request.body
    return message.body_of_query(_parameter(request, "message"))


def _parameter(request: HttpRequest, name: str) -> str:
    try:
        return str(request.GET.get(name, ""))
    except (SuspiciousOperation, UnicodeError):
        raise NoOperation from None


def _refused(
    request: HttpRequest, error: Exception, via: Via | None, label: Label | None
) -> HttpResponse:
    outcome = failures.outcome_in(error)
    if outcome is None or via is None:
        logger.error("%s could not be answered", request.path, exc_info=error)
        return replies.refuse(BROKEN)
    try:
        door.tell_refusal(error, outcome, via=via, action=ACTION, label=label)
    except Exception:
        logger.exception("The refusal of %s could not be told", request.path)
        return replies.refuse(BROKEN)
    return replies.refuse(outcome)
