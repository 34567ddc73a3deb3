"""What both doors of devices share: at which label, how often, as whom, and what is told of it."""

from typing import Any

from django.conf import settings
from django.db.models import CharField, QuerySet
from django.http import HttpRequest

from audit.use_cases import is_recorded, record_edge_refusal
from audit.via import Via
from enrollment import policy
from enrollment.models import Label
from enrollment.services import Caller, CertificateRefused, InvalidCredential, via_with
from enrollment.states import Protocol
from foundation.errors import NotFound
from foundation.outcomes import Outcome
from foundation.rates import Rate, block_of, take
from foundation.statements import Given, Rows
from owners import strangers
from owners.actors import via_of
from owners.models import Principal


class NoSuchLabel(NotFound):
    """There is no label of that path, or no default one."""

    code = "no_such_label"
    message = "Nothing enrolls at this address: there is no such label."


def via_at(request: HttpRequest, protocol: Protocol) -> Via:
    """Return how a device's request came in."""
    return via_of(request, door=protocol.door)


def take_turn(via: Via) -> None:
    """Count one request of an address; raises TooMany over `settings.ENROLLMENT_RATE`."""
    take("enrollment", block_of(via.remote_address), Rate.parse(settings.ENROLLMENT_RATE))


def label_at(protocol: Protocol, path: str) -> Label:
    """Return the label that answers there, the default one for ""; raises NoSuchLabel.

    Also one that is blocked: what may not be done there, the use cases say.
    """
    label = _AT.first(protocol=protocol, path=path) if path else _DEFAULT.first(protocol=protocol)
    if label is None:
        raise NoSuchLabel
    return label


def _labels(**which: Any) -> QuerySet[Label]:
    return (
        Label.objects.select_related("issuer__successor", "profile", "principal")
        .filter(protocol=Given("protocol", CharField()), **which)
        .order_by("pk")[:1]
    )


_AT: Rows[Label] = Rows(lambda: _labels(path=Given("path", CharField())))
_DEFAULT: Rows[Label] = Rows(lambda: _labels(is_default=True))


def actor_at(label: Label, via: Via, caller: Caller | None = None) -> Principal:
    """Return the principal as whom devices ask at the label; raises Blocked where it is disabled.

    `caller` is None where the device is known by nothing but the key of its request.
    """
    principal = label.principal
    if not principal.is_active:
        raise policy.Blocked(f"Nothing is enrolled at {label} now: its principal is disabled.")
    principal.via = via if caller is None else via_with(via, caller)
    return principal


def tell_refusal(
    error: Exception, outcome: Outcome, *, via: Via, action: str, label: Label | None
) -> None:
    """Write what a door refused before any use case was entered, as little as of any stranger.

    Wrong credentials stand in the trail already: who was asked for them has told it.
    """
    if is_recorded(error) or isinstance(error, InvalidCredential | CertificateRefused):
        return
    more = strangers.may_tell(via)
    if more is not None:
        record_edge_refusal(
            actor=None,
            action=action,
            error=error,
            outcome=outcome,
            subject=label,
            via=via,
            data=more,
        )
