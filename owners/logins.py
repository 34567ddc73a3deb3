"""Logins to the admin: who acts there, and events of who came in, went, and failed to."""

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest

from audit.services import Entry, record_many
from audit.via import Door, Via
from owners import actors, strangers
from owners.actors import via_of
from owners.models import Principal

# Somebody who is signed in gives their present password again.
CONFIRMING = "certctl.confirming"


def actor_of(request: HttpRequest) -> Principal:
    """Return the principal that acts in the admin; raises NotPermitted where nobody signed in."""
    return actors.actor_of(request, Door.ADMIN)


def confirms(request: HttpRequest, password: str) -> bool:
    """Whether `password` is that of whoever is signed in.

    A wrong one counts as a failed login of that name from that address: after too many neither is
    looked at any more. Call it with no transaction open, or the count goes the way of the refusal.
    """
    actor = actor_of(request)
    request.META[CONFIRMING] = actor
    try:
        known = authenticate(request, username=actor.get_username(), password=password)
    finally:
        del request.META[CONFIRMING]
    return known is not None and known.pk == actor.pk


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
    if request is not None and CONFIRMING in request.META:
        return  # no login: the page that asked for the password tells of it
    name = str((credentials or {}).get("username", ""))[:150]
    strangers.tell(action="principal.login_failed", via=_via(request), username=name)


def locked_out(*, request: HttpRequest, username: str | None = None, **kwargs: Any) -> None:
    """Record that a name is locked out at an address (receiver of axes' signal).

    Under whoever is signed in where they tried their present password, else under nobody.
    """
    actor = request.META.get(CONFIRMING)
    name, via = (username or "")[:150], _via(request)
    if actor is not None:
        record_many([Entry(actor, "principal.lock_out", actor, {"username": name}, via=via)])
    else:
        strangers.tell(
            action="principal.lock_out", via=via, kind=strangers.LOCK_OUTS, username=name
        )


def _via(request: HttpRequest | None) -> Via:
    return via_of(request, door=Door.ADMIN) if request is not None else Via(door=Door.ADMIN)
