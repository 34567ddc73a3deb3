"""Who somebody is and what they answer for, held as it is until what is decided on it commits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.utils import timezone

from foundation.errors import NotPermitted
from foundation.locks import share
from owners.models import ApiKey, Owner, Principal, Team


class KeyGone(NotPermitted):
    """The API key was good when the request came in, and is not any more."""

    code = "key_gone"
    message = "The API key was disabled, or has expired, while this was under way."


def hold(
    *, owners: Iterable[UUID], teams: Iterable[UUID | None], people: Iterable[UUID | None]
) -> None:
    """Hold these rows, and everybody who sits in them, until the end of the transaction.

    In the house's order: Owner, Team, Principal. Membership, a seat, an owner's team or address
    and a person's address, role and activity are changed under the row that is held here; read
    them afterwards.
    """
    owners = set(owners)
    share(Owner, owners)
    held = {*teams, *Owner.objects.filter(pk__in=owners).values_list("team", flat=True)} - {None}
    share(Team, held)
    members = Owner.members.through.objects.filter(owner__in=owners)
    seats = Team.members.through.objects.filter(team__in=held)
    share(
        Principal,
        {
            *people,
            *members.values_list("principal", flat=True),
            *seats.values_list("principal", flat=True),
        },
    )


class Answerable(Protocol):
    """A row that an owner, and maybe a team, answers for."""

    owner_id: UUID
    team_id: UUID | None


def hold_handover(row: Answerable, said: Mapping[str, Any], actor: Principal) -> None:
    """Hold who answers for `row` before and after `said`, and read anew whom it is to go to.

    `said` may have an "owner" and a "team"; nothing is held where it has neither. The caller holds
    the row's lock, and judges by what is read afterwards: also by the actor's own address.
    """
    new_owner, new_team = said.get("owner"), said.get("team")
    if new_owner is None and "team" not in said:
        return
    hold(
        owners=[row.owner_id, *([new_owner.pk] if new_owner else [])],
        teams=[row.team_id, new_team and new_team.pk],
        people=[actor.pk],
    )
    if new_owner is not None:
        new_owner.refresh_from_db()
    actor.refresh_from_db(fields=["email", "first_name", "last_name"])


def afresh(actor: Principal) -> Principal:
    """Return `actor`, whose row is held, as it stands now, come in as it came; raises KeyGone.

    Role and activity are read anew, and so is the key, which is held too.
    """
    fresh = Principal.objects.get(pk=actor.pk)
    fresh.via, fresh.cap, fresh.kind = actor.via, actor.cap, actor.kind
    # What the edge knew against somebody is not forgotten.
    fresh.is_active = fresh.is_active and actor.is_active
    if actor.via.api_key:
        own = ApiKey.objects.filter(principal=fresh, name=actor.via.api_key)
        share(ApiKey, own.values_list("pk", flat=True))
        key = own.first()
        if key is None or key.disabled_at is not None or _is_over(key):
            raise KeyGone
    return fresh


def _is_over(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at <= timezone.now()


def know_people(*, owners: Sequence[Owner], teams: Sequence[Team]) -> None:
    """Have owners and teams know their people, to ask `includes` and `seats` of many: one query.

    `teams` has the owners' own. What they know is of this moment, so nothing is decided by it.
    """
    of_owners = Owner.members.through.objects.filter(owner__in=owners)
    of_teams = Team.members.through.objects.filter(team__in=teams)
    rows = of_owners.values_list("owner", "principal", "principal__email").union(
        of_teams.values_list("team", "principal", "principal__email"), all=True
    )
    people: defaultdict[UUID, list[Principal]] = defaultdict(list)
    for group, principal, email in rows:
        people[group].append(Principal(pk=principal, email=email))
    for team in teams:
        team.known_members = people[team.pk]
    for owner in owners:
        of_team = people[owner.team_id] if owner.team_id else []
        owner.known_people = [*people[owner.pk], *of_team]
