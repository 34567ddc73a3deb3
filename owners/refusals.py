"""What REST and the admin refuse goes to the trail: under the use case's name, and once."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from audit import actions
from audit.use_cases import record_edge_refusal
from audit.via import Door, Via
from foundation.outcomes import Outcome
from foundation.rates import left_out
from foundation.texts import UnusableText, usable
from owners import strangers
from owners.actors import actor_of, via_of
from owners.models import Principal

SAFE = ("GET", "HEAD", "OPTIONS")


def record_at_rest(
    error: Exception, outcome: Outcome, request: Any, view: Any, kwargs: Mapping[str, Any]
) -> None:
    """Write what REST refused (`settings.REFUSAL_RECORDER`).

    Reading is only told where it is 403, or the address has text that nothing can be done with.

    Where a use case refused, the error says so and this only sees to it that it is written. The
    rest an edge refuses: a missing permission, an unknown row, a malformed body, a throttle.
    `request` is REST framework's, `view` what answers it. Never the body: it may hold a secret.
    """
    # Nobody writes a NUL by mistake: who reads with one tries the doors.
    is_told = outcome.status == 403 or outcome.code == UnusableText.code  # noqa: PLR2004
    if outcome.code == "invalid_key" or not (request.method not in SAFE or is_told):
        return  # owners.actors has written the first, under the key's name
    actor = request._user if hasattr(request, "_user") else None  # noqa: SLF001
    known = actor if isinstance(actor, Principal) else None
    action = act_of(view, request)
    door = getattr(view, "door", Door.REST)  # agents come over HTTP too, by a door of their own
    via = None if known else via_of(request._request, door=door)  # noqa: SLF001
    more = _more(known, via, action, outcome)
    if more is None:
        return
    record_edge_refusal(
        actor=known,
        action=action,
        error=error,
        outcome=outcome,
        subject=_subject(view, kwargs),
        via=via,
        data={**_path(request, action), **more},
    )


def record_at_admin(
    request: HttpRequest, action: str, error: BaseException, subject: models.Model | None
) -> None:
    """Write what the admin refused (`settings.ADMIN_REFUSAL_RECORDER`).

    `action` is the use case that a page or a button is for, "" where there is none.

    Call it when Django's own transaction around the page has ended. To open a page is to look,
    whatever it is for.
    """
    if request.method in SAFE:
        action = actions.VIEW
    elif not actions.is_known(action):
        action = actions.CHANGE  # on rows that machines write, where no act exists
    record_edge_refusal(
        actor=actor_of(request, Door.ADMIN),
        action=action,
        error=error,
        subject=subject,
        data=_path(request, action),
    )


def act_of(view: Any, request: Any) -> str:
    """Return the name in the trail of what was asked for: a route's `use_cases` say it."""
    action = getattr(view, "action", None)
    named = getattr(view, "use_cases", {}).get(action)
    if named is not None:
        return str(named)
    return actions.VIEW if request.method in SAFE else actions.CHANGE


def _path(request: Any, action: str) -> dict[str, str]:
    """Return the address, for an event whose `action` is the name of no act."""
    return {"path": usable(request.path[:255])} if action in {actions.VIEW, actions.CHANGE} else {}


def _more(
    actor: Principal | None, via: Via | None, action: str, outcome: Outcome
) -> dict[str, int] | None:
    """Return what to add to the event's data; None where this refusal is not told but counted."""
    # Whoever is not known, or asks too often, must not be able to fill the trail.
    if actor is None:
        return strangers.may_tell(via or Via(door=Door.REST))
    if outcome.status != 429:  # noqa: PLR2004
        return {}
    count = left_out("refusal", f"{actor.pk}:{action}:{outcome.status}", strangers.ONCE_A_MINUTE)
    if count is None:
        return None
    return {"left_out": count} if count else {}


def _subject(view: Any, kwargs: Mapping[str, Any]) -> models.Model | None:
    """Return the row that the URL names, so that its history shows the refusal too."""
    queryset = getattr(view, "queryset", None)
    if queryset is None or "pk" not in kwargs:
        return None
    try:
        row: models.Model | None = queryset.model._default_manager.filter(  # noqa: SLF001
            pk=kwargs["pk"]
        ).first()
    except (ValueError, TypeError, ValidationError):
        return None  # no key at all, such as "not-a-uuid"
    return row
