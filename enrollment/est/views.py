"""EST's operations (RFC 7030, 8951, 9908): plain functions behind enrollment.middleware.

No session, no CSRF, no cookie, no API key. Whatever goes wrong is one line of text/plain with the
status that the protocol has for it, and in the trail once; nothing becomes a 500.
"""

import logging
import secrets
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

import issuers.services
from enrollment import door, services, tls_front
from enrollment.est import answers, asking, attributes, wire
from enrollment.est.asking import ClaimedFront, NoTls, Question
from enrollment.models import Label
from enrollment.replies import not_allowed, words
from enrollment.services import Answer, Caller
from enrollment.states import Protocol, Stand
from foundation.outcomes import Outcome, outcome_of
from issuers.x509 import certs

logger = logging.getLogger(__name__)

BROKEN = Outcome(503, "unavailable", "Try again in a minute.")
GET, POST = ("GET", "HEAD"), ("POST",)

View = Callable[[Question], HttpResponse]


def _operation(
    *methods: str, action: str = "enrollment.request"
) -> Callable[[View], Callable[..., HttpResponse]]:
    """Make a view of what answers a question: whatever is in the way of one is refused in words.

    `action` is the use case that is asked for, for the trail.
    """

    def decorate(answer: View) -> Callable[..., HttpResponse]:
        @wraps(answer)
        def view(request: HttpRequest, path: str = "") -> HttpResponse:
            if request.method not in methods:
                return not_allowed(methods)
            at: list[Label] = []
            try:
                return answer(_question(request, path, at))
            except Exception as error:  # noqa: BLE001 - each is looked at
                return _refused(request, error, action, at[0] if at else None)

        return view

    return decorate


def _question(request: HttpRequest, path: str, at: list[Label]) -> Question:
    via = door.via_at(request, Protocol.EST)
    connection = tls_front.connection_of(request)
    if connection is None:
        raise ClaimedFront if tls_front.claims(request) else NoTls
    door.take_turn(via)
    at.append(door.label_at(Protocol.EST, path))
    return Question(request, at[0], connection, via)


def _refused(
    request: HttpRequest, error: Exception, action: str, label: Label | None
) -> HttpResponse:
    outcome = _outcome(error)
    if outcome is None:
        logger.error("%s could not be answered", request.path, exc_info=error)
        return answers.refuse(BROKEN, label)
    try:
        # To wait to be asked for a credential is how HTTP authenticates, and no refusal; whoever
        # comes by plain http is told where to go.
        if not isinstance(error, asking.NobodyShown | NoTls):
            via = door.via_at(request, Protocol.EST)
            door.tell_refusal(error, outcome, via=via, action=action, label=label)
    except Exception:
        logger.exception("The refusal of %s could not be told", request.path)
        return answers.refuse(BROKEN, label)
    return answers.refuse(outcome, label)


def _outcome(error: Exception) -> Outcome | None:
    if isinstance(error, asking.WrongType):
        return Outcome(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, error.code, error.detail)
    return outcome_of(error)


@_operation(*GET)
def cacerts(question: Question) -> HttpResponse:
    """Give the label's CA certificates, to anybody (RFC 7030 §4.1)."""
    certificates = issuers.services.ca_certificates(question.label.issuer)
    body = answers.in_its_lines(question.request, wire.certificates(certificates))
    return answers.give(question.request, body, wire.CERTIFICATES)


@_operation(*GET)
def csrattrs(question: Question) -> HttpResponse:
    """Say what a request should have, to anybody (RFC 7030 §4.5, RFC 9908)."""
    wanted = attributes.wanted_by(question.label.profile)
    body = answers.in_its_lines(question.request, wire.base64_lines(wanted))
    return answers.give(question.request, body, wire.CSR_ATTRIBUTES)


@_operation(*POST)
def simpleenroll(question: Question) -> HttpResponse:
    """Enroll a device (RFC 7030 §4.2.1); with the certificate that it has, it renews."""
    request = asking.read_request(question)
    return _ask(question, asking.enrolls(question), request)


@_operation(*POST)
def simplereenroll(question: Question) -> HttpResponse:
    """Renew the certificate that the device shows in TLS (RFC 7030 §4.2.2)."""
    request = asking.read_request(question)
    return _ask(question, asking.renews(question), request)


@_operation(*POST, action="enrollment.generate_key")
def serverkeygen(question: Question) -> HttpResponse:
    """Make the device's key here, where the label lets it (RFC 7030 §4.4): it goes out once."""
    request = asking.read_request(question)
    caller = asking.enrolls(question)
    made = services.ask_with_new_key(
        actor=door.actor_at(question.label, question.via, caller),
        label_id=question.label.pk,
        caller=caller,
        csr_pem=_pem(request),
    )
    if made.answer.version is None:
        return _told(question, made.answer)
    kind, body = wire.key_and_certificate(
        made.key, certs.load(made.answer.version.pem), boundary=secrets.token_hex(16)
    )
    return answers.give(question.request, body, kind)


@_operation(*POST)
def fullcmc(question: Question) -> HttpResponse:
    """Say that this optional operation is not there (RFC 7030 §4.3.1)."""
    return words(HTTPStatus.NOT_IMPLEMENTED, "Full CMC is not answered here.")


def _ask(question: Question, caller: Caller, request: bytes) -> HttpResponse:
    answer = services.ask(
        actor=door.actor_at(question.label, question.via, caller),
        label_id=question.label.pk,
        caller=caller,
        csr_pem=_pem(request),
    )
    return _told(question, answer)


def _told(question: Question, answer: Answer) -> HttpResponse:
    if answer.stand is Stand.ISSUED and answer.version is not None:
        issued = wire.certificates([certs.load(answer.version.pem)])
        body = answers.in_its_lines(question.request, issued)
        return answers.give(question.request, body, wire.ISSUED)
    if answer.stand is Stand.WAITING:
        return answers.wait(
            answer.retry_after.total_seconds(), "The request waits: send the same again later."
        )
    return words(HTTPStatus.FORBIDDEN, answer.reason)


def _pem(request: bytes) -> str:
    """Return a request in PEM, not parsed: its check reads the bytes as they came."""
    body = wire.base64_lines(request).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
