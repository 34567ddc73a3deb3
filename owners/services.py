"""Use cases on principals, API keys, teams and owners; each writes its audit event."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.changes import Changes, change, changed, gone, made
from audit.services import lock_to_delete, record
from audit.use_cases import use_case
from foundation import networks
from foundation.errors import Conflict, FieldError, Invalid, NotPermitted
from foundation.preconditions import as_expected
from owners import keys, persons
from owners.models import SYSTEM, ApiKey, Owner, Principal, Team
from owners.roles import PERMISSIONS, Role

OWNER_FIELDS = ("name", "email", "team")


class NameTaken(Conflict):
    """The name exists already."""

    code = "name_taken"
    message = "That name is taken."


class LookAlike(Conflict):
    """A human's name that people would read as another's."""

    code = "look_alike"
    message = "That name looks like one that exists: people would take one for the other."


class SystemPrincipal(NotPermitted):
    """The system principal is nobody's to change."""

    code = "system_principal"
    message = "The system principal cannot be changed and can hold no key."


class DevicesPrincipal(NotPermitted):
    """Whoever asks for what devices enroll does that alone, and can never decide."""

    code = "devices_principal"
    message = (
        "This principal asks for what devices enroll, and for nothing else: it has no role, no "
        "password and no API key."
    )


class OwnWayOut(NotPermitted):
    """Nobody leaves an owner, or changes who they are, by their own hand."""

    code = "own_way_out"
    message = (
        "Somebody else must take you out of it: who answers for certificates may not approve "
        "their jobs, and does not leave in order to."
    )


def role_of(principal: Principal) -> Role | None:
    """Return the highest role whose group `principal` is in, if any."""
    names = set(principal.groups.values_list("name", flat=True))
    return next((role for role in reversed(Role) if role.value in names), None)


@use_case("principal.create")
def create_principal(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    username: str,
    role: Role | str | None,
    kind: str = Principal.Kind.HUMAN,
    email: str = "",
    first_name: str = "",
    last_name: str = "",
    password: str | None = None,
    for_devices: bool = False,
) -> Principal:
    """Make a principal with a role; without a password it can use API keys only.

    One `for_devices` asks for what they enroll at one label: it never gets a role, a password or a
    key.

    Raises NameTaken, Invalid (weak password, unknown role or kind).
    """
    if kind not in {Principal.Kind.HUMAN, Principal.Kind.MACHINE}:
        raise Invalid(errors=[FieldError("kind", "invalid", "It must be human or machine.")])
    principal = Principal(
        username=username,
        kind=kind,
        email=email,
        first_name=first_name,
        last_name=last_name,
        for_devices=for_devices,
    )
    _check_devices(principal, role, password)
    if Principal.objects.filter(username__iexact=username).exists():
        raise NameTaken(errors=[FieldError("username", "name_taken", NameTaken.message)])
    if kind == Principal.Kind.HUMAN:
        _check_looks(username)
    set_password(principal, password)
    principal.save()
    _set_role(principal, role)
    record(actor=actor, action="principal.create", subject=principal, kind=kind, role=_name(role))
    return principal


@use_case("principal.update", on=Principal)
def update_principal(  # noqa: PLR0913
    *,
    actor: Principal,
    principal_id: uuid.UUID,
    changes: dict[str, Any],
    role: Role | str | None = None,
    change_role: bool = False,
    password: str | None = None,
) -> Principal:
    """Change a principal's e-mail, names, activity, role or password; the audit says what.

    Nobody changes their own role or activity, nor the e-mail and names by which owners know them:
    that takes a second administrator.
    """
    row = Principal.objects.select_for_update(no_key=True).get(pk=principal_id)
    principal = as_expected(actor, row)
    if principal.username == SYSTEM:
        raise SystemPrincipal
    _check_devices(principal, role, password)
    done = changed(principal, changes, ("email", "first_name", "last_name", "is_active"))
    if principal.pk == actor.pk and (change_role or done):
        raise NotPermitted("Somebody else must change your own role, activity, e-mail or names.")
    if change_role:
        before = role_of(principal)
        done |= change("role", _name(before), _name(role))
        _set_role(principal, role)
    if password is not None:
        set_password(principal, password)
        done |= {"password": {"before": "", "after": "changed"}}
    principal.save()
    record(actor=actor, action="principal.update", subject=principal, changes=done)
    return principal


@use_case("apikey.create")
def issue_api_key(  # noqa: PLR0913 - one argument a column
    *,
    actor: Principal,
    principal: Principal,
    name: str,
    role_cap: Role | str,
    expires_at: datetime | None = None,
    allowed_networks: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """Make an API key; return it with the whole key, which is never to be seen again.

    Raises Invalid (bad network, expiry in the past, unknown cap), NameTaken, SystemPrincipal,
    DevicesPrincipal.
    """
    if principal.kind == Principal.Kind.SYSTEM:
        raise SystemPrincipal
    if principal.for_devices:
        raise DevicesPrincipal
    if role_cap not in set(Role):
        raise Invalid(errors=[FieldError("role_cap", "invalid", "There is no such role.")])
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid(errors=[FieldError("expires_at", "invalid", "It lies in the past.")])
    kept, errors = networks.read(allowed_networks, "allowed_networks")
    if errors:
        raise Invalid(errors=errors)
    whole, prefix, digest = keys.make()
    key = ApiKey(
        name=name,
        prefix=prefix,
        digest=digest,
        principal=principal,
        role_cap=Role(role_cap).value,
        expires_at=expires_at,
        allowed_networks=kept,
        created_by=actor,
    )
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError:
        raise NameTaken(
            errors=[FieldError("name", "name_taken", "This principal has a key of that name.")]
        ) from None
    record(
        actor=actor,
        action="apikey.create",
        subject=key,
        principal=principal.username,
        role_cap=key.role_cap,
        expires_at=expires_at.isoformat() if expires_at else None,
        allowed_networks=kept,
    )
    return key, whole


@use_case("apikey.disable", on=ApiKey, by="key_id")
def disable_api_key(*, actor: Principal, key_id: uuid.UUID) -> ApiKey:
    """Disable a key for good; a second call changes nothing."""
    key = as_expected(actor, ApiKey.objects.select_for_update(no_key=True).get(pk=key_id))
    if key.disabled_at is None:
        key.disabled_at = timezone.now()
        key.save(update_fields=["disabled_at"])
        record(actor=actor, action="apikey.disable", subject=key)
    return key


@use_case("team.create")
def create_team(*, actor: Principal, name: str, members: Iterable[Principal] | None = None) -> Team:
    """Make a team; raises NameTaken."""
    team = Team(name=name)
    _save_named(team)
    done = made(team, ("name",)) | _set_members(team, members)
    record(actor=actor, action="team.create", subject=team, changes=done)
    return team


@use_case("team.update", on=Team)
def update_team(
    *,
    actor: Principal,
    team_id: uuid.UUID,
    changes: Mapping[str, Any],
    members: Iterable[Principal] | None = None,
) -> Team:
    """Change a team's name and members; raises NameTaken, OwnWayOut."""
    team = as_expected(actor, Team.objects.select_for_update(no_key=True).get(pk=team_id))
    had_seat = team.seats(actor)
    done = changed(team, changes, ("name",))
    _save_named(team)
    done |= _set_members(team, members)
    if had_seat and not team.seats(actor):
        raise OwnWayOut
    record(actor=actor, action="team.update", subject=team, changes=done)
    return team


@use_case("team.delete", on=Team)
def delete_team(*, actor: Principal, team_id: uuid.UUID) -> None:
    """Delete a team that nothing refers to; raises ProtectedError otherwise, Busy."""
    team = as_expected(actor, lock_to_delete(Team.objects.all(), team_id))
    record(actor=actor, action="team.delete", subject=team, changes=gone(team, ("name",)))
    team.delete()


@use_case("owner.create")
def create_owner(
    *, actor: Principal, details: Mapping[str, Any], members: Iterable[Principal] | None = None
) -> Owner:
    """Make an owner of a name, an e-mail address, a team and members; raises NameTaken."""
    owner = Owner(**{name: details[name] for name in OWNER_FIELDS if name in details})
    _save_named(owner)
    done = made(owner, OWNER_FIELDS) | _set_members(owner, members)
    record(actor=actor, action="owner.create", subject=owner, changes=done)
    return owner


@use_case("owner.update", on=Owner)
def update_owner(
    *,
    actor: Principal,
    owner_id: uuid.UUID,
    changes: Mapping[str, Any],
    members: Iterable[Principal] | None = None,
) -> Owner:
    """Change an owner's name, e-mail, team and members; raises NameTaken, OwnWayOut."""
    owner = as_expected(actor, Owner.objects.select_for_update(no_key=True).get(pk=owner_id))
    answered = owner.includes(actor)
    done = changed(owner, changes, OWNER_FIELDS)
    _save_named(owner)
    done |= _set_members(owner, members)
    if answered and not owner.includes(actor):
        raise OwnWayOut
    record(actor=actor, action="owner.update", subject=owner, changes=done)
    return owner


@use_case("owner.delete", on=Owner)
def delete_owner(*, actor: Principal, owner_id: uuid.UUID) -> None:
    """Delete an owner that nothing refers to; raises ProtectedError otherwise, Busy."""
    owner = as_expected(actor, lock_to_delete(Owner.objects.all(), owner_id))
    record(actor=actor, action="owner.delete", subject=owner, changes=gone(owner, OWNER_FIELDS))
    owner.delete()


# What doors call that have one form for new rows and old ones; each is one of the use cases above.


def save_team(
    *,
    actor: Principal,
    name: str,
    members: Iterable[Principal] | None = None,
    team_id: uuid.UUID | None = None,
) -> Team:
    """Make a team, or change the one that is named."""
    if team_id is None:
        return create_team(actor=actor, name=name, members=members)
    return update_team(actor=actor, team_id=team_id, changes={"name": name}, members=members)


def save_owner(
    *,
    actor: Principal,
    changes: Mapping[str, Any],
    members: Iterable[Principal] | None = None,
    owner_id: uuid.UUID | None = None,
) -> Owner:
    """Make an owner, or change the one that is named."""
    if owner_id is None:
        return create_owner(actor=actor, details=changes, members=members)
    return update_owner(actor=actor, owner_id=owner_id, changes=changes, members=members)


def delete_named(*, actor: Principal, row: Owner | Team) -> None:
    """Delete an owner or a team."""
    if isinstance(row, Owner):
        delete_owner(actor=actor, owner_id=row.pk)
    else:
        delete_team(actor=actor, team_id=row.pk)


def _check_looks(username: str) -> None:
    """Raise LookAlike or Invalid for a human's name that may be mistaken for another's."""
    if not persons.is_of_one_script(username):
        detail = "Write it in one script, with letters that are not easily mistaken."
        raise Invalid(detail, errors=[FieldError("username", "mixed_scripts", detail)])
    looks = persons.skeletons(username)
    humans = Principal.objects.filter(kind=Principal.Kind.HUMAN)
    for taken in humans.values_list("username", flat=True).iterator():
        if not looks.isdisjoint(persons.skeletons(taken)):
            raise LookAlike(errors=[FieldError("username", LookAlike.code, LookAlike.message)])


def _save_named(row: Owner | Team) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise NameTaken(errors=[FieldError("name", "name_taken", NameTaken.message)]) from None


def _set_members(row: Owner | Team, members: Iterable[Principal] | None) -> Changes:
    if members is None:
        return {}
    before = sorted(row.members.values_list("username", flat=True))
    row.members.set(members)
    return change("members", before, sorted(row.members.values_list("username", flat=True)))


def _name(role: Role | str | None) -> str | None:
    return str(role) if role else None


def _check_devices(principal: Principal, role: Role | str | None, password: str | None) -> None:
    if principal.for_devices and (role or password is not None):
        raise DevicesPrincipal


def _set_role(principal: Principal, role: Role | str | None) -> None:
    if role and role not in set(Role):
        raise Invalid(errors=[FieldError("role", "invalid", "There is no such role.")])
    others = principal.groups.exclude(name__in=[r.value for r in PERMISSIONS])
    wanted = Group.objects.filter(name=str(role)) if role else Group.objects.none()
    principal.groups.set([*others, *wanted])
    # Who may use the API need not see the admin; humans with a role do.
    principal.is_staff = bool(role) and principal.kind == Principal.Kind.HUMAN
    principal.save(update_fields=["is_staff"])


def set_password(principal: Principal, password: str | None) -> None:
    """Give `principal` a password, or one that nobody can use; raises Invalid for a weak one."""
    if password is None:
        principal.set_unusable_password()
        return
    try:
        validate_password(password, principal)
    except ValidationError as error:
        raise Invalid(
            errors=[FieldError("password", "weak_password", text) for text in error.messages]
        ) from None
    principal.set_password(password)
