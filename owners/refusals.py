"""Write down what somebody was refused, whichever door refused it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from audit.models import Event
from audit.services import Entry, record_many, record_unknown
from audit.use_cases import record_refused
from audit.via import Door
from foundation.outcomes import Outcome, outcome_of
from owners.actors import actor_of, via_of
from owners.models import Principal

SAFE = ("GET", "HEAD", "OPTIONS")
# What an edge refuses that is no use case: a look at what is not theirs, and a change that no
# page offers.
VIEW, CHANGE = "records.view", "records.change"


def record_refusal(
    *, actor: Principal, action: str, error: BaseException, subject: models.Model | None = None
) -> Event | None:
    """Write `<action>.refuse` in a transaction of its own; the attempt changed nothing else.

    `action` is as in the event that a success would have written, such as "job.approve". None
    where `error` is none that anybody refused with.
    """
    outcome = outcome_of(error)
    if outcome is None:
        return None
    data = {"code": outcome.code, "status": outcome.status, "detail": outcome.detail}
    return record_many([Entry(actor, f"{action}.refuse", subject, data)])[0]


def record_at_admin(
    request: HttpRequest, action: str, error: BaseException, subject: models.Model | None
) -> None:
    """Write what the admin refused (`settings.ADMIN_REFUSAL_RECORDER`), once.

    What a use case refused bears its own name and may be written already; all else was refused
    before `action` was entered. To open a page is to look, whatever it is for.
    """
    if hasattr(error, "refused"):
        record_refused(error)
        return
    action = VIEW if request.method in SAFE else action or CHANGE
    record_refusal(actor=actor_of(request), action=action, error=error, subject=subject)


def record_at_rest(request: Any, view: Any, kwargs: dict[str, Any], outcome: Outcome) -> None:
    """Write what REST refused (`settings.REFUSAL_RECORDER`); reading is only told where it is 403.

    `request` is REST framework's, `view` what answers it.
    """
    tried_to_act = request.method not in SAFE
    if outcome.status == 429 or not (tried_to_act or outcome.status == 403):  # noqa: PLR2004
        return
    if outcome.code == "invalid_key":
        return  # owners.authentication has written it, under the key's name
    what = getattr(view, "basename", "") or type(view).__name__.lower()
    action = f"{what}.{getattr(view, 'action', None) or str(request.method).lower()}.refuse"[:64]
    data = {"code": outcome.code, "status": outcome.status, "path": request.path[:255]}
    # Never the body: it may hold a secret.
    actor = request._user if hasattr(request, "_user") else None  # noqa: SLF001
    if isinstance(actor, Principal):
        record_many([Entry(actor, action, _subject(view, kwargs), data)])
    else:
        record_unknown(name="", action=action, via=via_of(request, door=Door.REST), **data)


def _subject(view: Any, kwargs: dict[str, Any]) -> models.Model | None:
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
