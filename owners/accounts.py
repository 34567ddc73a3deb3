"""Use cases on one's own account, and on the first one: a password, and an administrator."""

import secrets
from datetime import timedelta

from django.utils import timezone

from audit.changes import change
from audit.services import record
from audit.use_cases import use_case
from audit.via import Door
from foundation.errors import Conflict, NotPermitted
from owners import keys, services
from owners.models import FirstLink, Principal
from owners.roles import Role

LINK_LIVES = timedelta(minutes=15)


class HasAdministrator(Conflict):
    """The link is for an installation that nobody administers."""

    code = "has_administrator"
    message = "There is an administrator already: sign in, or ask them for an account."


class WrongLink(NotPermitted):
    """The token is unknown, was used, or is too old; nobody is told which."""

    code = "wrong_link"
    message = (
        "This link lets nobody in: it is good once, for 15 minutes, and only the last one that was "
        "printed. Start certctl again for a new one."
    )


@use_case("principal.change_password", on=Principal)
def change_password(*, actor: Principal, principal: Principal, password: str) -> Principal:
    """Change one's own password; the edge has asked for the present one before.

    Returns the row as it is now. Raises Invalid for a weak password.
    """
    row = Principal.objects.select_for_update(no_key=True).get(pk=principal.pk)
    services.set_password(row, password)
    row.save(update_fields=["password"])
    done = change("password", "", "changed")
    record(actor=actor, action="principal.change_password", subject=row, changes=done)
    return row


@use_case("principal.create_superuser", doors=frozenset({Door.CLI}))
def create_superuser(
    *, actor: Principal, username: str, email: str = "", password: str | None = None
) -> Principal:
    """Make a human administrator who has every permission, from the command line alone.

    They are in the group of the role `admin`, so that keys, lists and owners know them as one.
    Raises NameTaken, Invalid (weak password).
    """
    principal = services.create_principal(
        actor=actor, username=username, role=Role.ADMIN, email=email, password=password
    )
    principal.is_superuser = True
    principal.save(update_fields=["is_superuser"])
    record(actor=actor, action="principal.create_superuser", subject=principal)
    return principal


@use_case("administrator.invite", doors=frozenset({Door.CLI}))
def invite_first_administrator(*, actor: Principal) -> str:
    """Make the one link that lets the first administrator in; return its token, kept nowhere.

    Good for LINK_LIVES, and earlier ones no longer. Raises HasAdministrator.
    """
    if Principal.objects.administrators().exists():
        raise HasAdministrator
    FirstLink.objects.all().delete()
    token = secrets.token_urlsafe(32)  # 256 random bits, so one SHA-256 is enough (owners.keys)
    link = FirstLink.objects.create(
        digest=keys.digest(token), expires_at=timezone.now() + LINK_LIVES
    )
    record(
        actor=actor,
        action="administrator.invite",
        subject=link,
        expires_at=link.expires_at.isoformat(),
    )
    return token


@use_case("administrator.first", doors=frozenset({Door.ADMIN}))
def make_first_administrator(
    *, actor: Principal, token: str, username: str, password: str, email: str = ""
) -> Principal:
    """Make the first administrator, for whoever has the link's token; it is used up with that.

    A human of the role `admin`, and no superuser. Of two at once one is made. Raises WrongLink,
    HasAdministrator, NameTaken, Invalid (weak password): after the last two the link is still good.
    """
    # One link is one row: a second one with it waits here, and reads that it was used.
    rows = FirstLink.objects.select_for_update(no_key=True)
    link = rows.filter(digest=keys.digest(token)).first()
    if link is None or not link.is_open(timezone.now()):
        raise WrongLink
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    principal = services.create_principal(
        actor=actor, username=username, role=Role.ADMIN, email=email, password=password
    )
    # Whoever makes an administrator, in whatever way, holds the trail's head from their event to
    # their commit, as `create_principal` does now: what is read here is true at ours.
    if Principal.objects.administrators().exclude(pk=principal.pk).exists():
        raise HasAdministrator
    record(actor=actor, action="administrator.first", subject=principal)
    return principal
