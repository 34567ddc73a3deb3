"""Logins to the admin: who acts there, and events of who came in, went, and failed to."""

from typing import Any

from django.http import HttpRequest

from audit.services import Entry, record_many, record_unknown
from audit.via import Door, Via
from owners import actors
from owners.actors import via_of
from owners.models import Principal


def actor_of(request: HttpRequest) -> Principal:
    """Return the principal that acts in the admin; raises NotPermitted where nobody signed in."""
    return actors.actor_of(request, Door.ADMIN)


def logged_in(*, request: HttpRequest | None = None, user: Principal, **kwargs: Any) -> None:
    """Record a login (receiver of django.contrib.auth's signal)."""
    record_many([Entry(user, "principal.login", user, via=_via(request))])


def logged_out(*, request: HttpRequest | None = None, user: Any = None, **kwargs: Any) -> None:
    """Record a logout; nothing where nobody was signed in."""
    if isinstance(user, Principal):
        record_many([Entry(user, "principal.logout", user, via=_via(request))])


def login_failed(
    *, request: HttpRequest | None = None, credentials: dict[str, Any] | None = None, **kwargs: Any
) -> None:
    """Record a failed login under the name that was typed, never under a principal."""
    name = str((credentials or {}).get("username", ""))[:150]
    record_unknown(name="", action="principal.login_failed", via=_via(request), username=name)


def _via(request: HttpRequest | None) -> Via:
    return via_of(request, door=Door.ADMIN) if request is not None else Via(door=Door.ADMIN)
