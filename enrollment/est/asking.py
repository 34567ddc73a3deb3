"""A device's question to EST before it is answered: read, in bounds, from whom, over which TLS."""

import binascii
from base64 import b64decode
from dataclasses import dataclass

from django.http import HttpRequest

from audit.via import Via
from enrollment import services
from enrollment.csr_attributes import BadAttribute, challenge_password
from enrollment.est import wire
from enrollment.models import Label
from enrollment.services import Caller
from enrollment.tls_front import Connection
from foundation.bodies import BadBody, read_whole
from foundation.errors import CertctlError, Invalid, NotAuthenticated, NotFound, NotPermitted

MAX_AUTHORIZATION = 1024


@dataclass(slots=True)
class Question:
    """One request at one label."""

    request: HttpRequest
    label: Label
    connection: Connection
    via: Via


class NoTls(NotFound):
    """The request came past every TLS front (RFC 7030 §3.3: EST is for https only)."""

    code = "no_tls_front"
    message = (
        "EST is answered behind a TLS front only: use https, at the address that the operator "
        "gives for it."
    )


class ClaimedFront(NotPermitted):
    """The request says which certificate its client showed, and came from no front."""

    code = "claimed_tls_front"
    message = "Only a TLS front may say which certificate a client showed."


class NobodyShown(NotAuthenticated):
    """The first question of a client that waits to be asked for credentials."""

    code = "no_credentials"
    message = "Show a credential by HTTP Basic, or a client certificate."


class UnreadableCredential(NotAuthenticated):
    """What was sent is no HTTP Basic."""

    code = "malformed_credential"


class CertificateWanted(NotPermitted):
    """A renewal without the certificate that it renews."""

    code = "certificate_wanted"
    message = "Renewing needs the certificate that was enrolled at this label, shown in TLS."


class WrongType(CertctlError):
    """The body says that it is something else than a request: HTTP 415."""

    code = "unsupported_media_type"
    message = f"A request is sent as {wire.REQUEST}."


class BindingDiffers(Invalid):
    """The request is bound to another TLS connection, or to one that nobody here can name."""

    code = "channel_binding"


def read_request(question: Question) -> bytes:
    """Return the PKCS #10 request of the body in DER.

    A missing content type is let pass, another one is not. Raises WrongType, TooLarge, Invalid.
    """
    kind = (question.request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
    if kind not in {"", wire.REQUEST}:
        raise WrongType
    read_whole(question.request, limit=wire.MAX_BODY_BYTES)
    try:
        request = wire.request_of(question.request.body)
    except wire.BadBody as error:
        raise BadBody(str(error)) from None
    _check_binding(request, question.connection)
    return request


def _check_binding(request: bytes, connection: Connection) -> None:
    """Raise BindingDiffers where the request is bound to TLS, and not to this connection.

    Nobody is asked to bind: a front in between cannot hand on what it does not know (nginx).
    """
    try:
        text = challenge_password(request)
    except BadAttribute as error:
        raise BadBody(str(error)) from None
    if text is None or connection.is_bound_by(text):
        return
    if connection.binding:
        raise BindingDiffers("The challengePassword is not of this TLS connection.")
    raise BindingDiffers(
        "The request carries a challengePassword, which binds it to a TLS connection (RFC 7030 "
        "§3.5); the TLS front here does not tell which: leave it out."
    )


def enrolls(question: Question) -> Caller:
    """Return who asks for a first certificate, or for another one.

    A credential comes before a certificate: whoever sends one means it, also where the certificate
    of the connection has ended. Raises NobodyShown,
    UnreadableCredential, InvalidCredential, CertificateRefused, TooMany.
    """
    authorization = question.request.headers.get("Authorization", "")
    if authorization:
        user, text = _basic(authorization)
        return services.by_secret(label=question.label, text=text, user=user, via=question.via)
    if question.connection.certificate is None:
        raise NobodyShown
    return _by_certificate(question)


def renews(question: Question) -> Caller:
    """Return who renews: only a certificate that was enrolled at the label does.

    Raises CertificateWanted, CertificateRefused.
    """
    if question.connection.certificate is None:
        raise CertificateWanted
    caller = _by_certificate(question)
    if caller.version is None:
        raise CertificateWanted
    return caller


def _by_certificate(question: Question) -> Caller:
    assert question.connection.certificate is not None  # noqa: S101 - the callers have looked
    return services.by_certificate(
        label=question.label,
        certificate=question.connection.certificate,
        chain=question.connection.chain,
        via=question.via,
    )


def _basic(authorization: str) -> tuple[str, str]:
    """Return user and password of HTTP Basic (RFC 7617); raises UnreadableCredential."""
    scheme, _, rest = authorization.strip().partition(" ")
    try:
        if scheme.lower() != "basic" or len(rest) > MAX_AUTHORIZATION:
            raise UnreadableCredential("Credentials come by HTTP Basic.")
        user, colon, password = b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        user, colon, password = "", "", ""
    if not colon:
        raise UnreadableCredential("The Authorization header is no user:password in base64.")
    return user, password
