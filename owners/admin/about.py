"""The pages about an owner, a team and a principal: who they are, who is in them, what they did."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from typing_extensions import override

from audit.history import history_about, history_of
from audit.models import Event
from foundation.admin import Page
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import Badge, Code, Fact, Facts, Head, Section, Table, how_many
from owners.models import ApiKey, Owner, Principal, Team
from owners.roles import ROLE_CHOICES

SHOWN = 50  # rows of a table; the others are in the lists
KEY_COLOURS = {"live": "success", "expired": "warning", "disabled": "danger"}
_KINDS = {
    Principal.Kind.HUMAN: "Person",
    Principal.Kind.MACHINE: "Program",
    Principal.Kind.SYSTEM: "certctl itself",
}


class OwnerPage(Page):
    """What is shown of an owner to whoever may read it; apps above add what it owns."""

    page_related = ("team",)

    @override
    def head(self, request: HttpRequest, row: Owner) -> Head:
        badge, words = _answered_for(row)
        return Head("Owner", row.name, badge, [words])

    @override
    def sections(self, request: HttpRequest, row: Owner) -> Iterable[Section]:
        yield Facts(
            "Who it is",
            [
                Fact("E-mail", row.email),
                Fact("Team", link_to(request, row.team)),
                Fact("Here since", row.created_at),
            ],
        )
        members = list(row.members.order_by("username")[: SHOWN + 1])
        seated = list(row.team.members.order_by("username")[: SHOWN + 1]) if row.team else []
        through: dict[Principal, list[Any]] = {one: ["a member"] for one in members}
        for one in seated:
            through.setdefault(one, []).append(["a seat in", link_to(request, row.team)])
        yield people_of(
            request,
            "Who answers for it",
            list(through.items())[: SHOWN + 1],
            empty="Nobody: add members, or a team.",
        )

    @override
    def last_sections(self, request: HttpRequest, row: Owner) -> Iterable[Section]:
        # Events on its certificates and their jobs are about it too.
        yield from history_of(request, Event.objects.filter(owner=row.pk), owner=row.pk)


class TeamPage(Page):
    """What is shown of a team to whoever may read it; apps above add what it holds."""

    @override
    def head(self, request: HttpRequest, row: Team) -> Head:
        active = how_many(row.members.filter(is_active=True))
        if active == "0":
            badge, words = (
                Badge("nobody in it", "danger"),
                ("Nobody who can act has a seat in it: add members, so that somebody answers."),
            )
        else:
            badge = Badge("has members", "success")
            words = "Its members answer for what its owners have, and for what is given to it."
        return Head("Team", row.name, badge, [words], [Fact("Members who can act", active)])

    @override
    def sections(self, request: HttpRequest, row: Team) -> Iterable[Section]:
        members = row.members.order_by("username")[: SHOWN + 1]
        yield people_of(
            request,
            "Members",
            [(one, ["a seat"]) for one in members],
            empty="Nobody has a seat in it.",
        )
        owners = list(row.owners.order_by("name")[: SHOWN + 1])
        yield Table(
            "Owners that it stands behind",
            ("Owner", "E-mail"),
            [(link_to(request, one), one.email) for one in owners[:SHOWN]],
            empty="None: make it the team of an owner, and its members answer for that.",
            more=link_to_list(request, "owners.owner", "All owners"),
            is_wide=False,
        )

    @override
    def last_sections(self, request: HttpRequest, row: Team) -> Iterable[Section]:
        yield from history_about(request, row)


class PrincipalPage(Page):
    """What is shown of whoever can act; apps above add what they asked for and decided."""

    @override
    def head(self, request: HttpRequest, row: Principal) -> Head:
        badge, words = _may_act(row)
        full = row.get_full_name()
        return Head(
            _KINDS[Principal.Kind(row.kind)],
            f"{row.username} ({full})" if full else row.username,
            badge,
            [words],
            [
                Fact("Role", _roles(row) or "none"),
                Fact("Signed in last", row.last_login or "never"),
            ],
        )

    @override
    def sections(self, request: HttpRequest, row: Principal) -> Iterable[Section]:
        yield _who_they_are(row)
        yield _groups(request, row)
        yield from _keys(request, row)

    @override
    def last_sections(self, request: HttpRequest, row: Principal) -> Iterable[Section]:
        did = Event.objects.filter(actor=row)
        yield from history_of(request, did, title="What they did", actor=str(row.pk))
        yield from history_about(request, row)


def people_of(
    request: HttpRequest, title: str, people: Iterable[tuple[Principal, list[Any]]], *, empty: str
) -> Table:
    """Return who sits somewhere, and through what; no more of each than the lists say."""
    rows = list(people)
    more = link_to_list(request, "owners.principal", "All people") if len(rows) > SHOWN else None
    return Table(
        title,
        ("Who", "Through", "Can act"),
        [
            (
                link_to(request, one, _named(one)),
                ways,
                Badge("yes", "success") if one.is_active else Badge("disabled", "warning"),
            )
            for one, ways in rows[:SHOWN]
        ],
        empty=empty,
        more=more,
        is_wide=False,
    )


def key_state(key: ApiKey) -> str:
    """Say whether a key can be used."""
    if key.disabled_at is not None:
        return "disabled"
    return "live" if key.is_live(timezone.now()) else "expired"


def role_of(principal: Principal) -> str:
    """Name the highest role of a principal; "" where it has none."""
    names = {group.name for group in principal.groups.all()}
    return next((name for name, _ in reversed(ROLE_CHOICES) if name in names), "")


def _named(one: Principal) -> str:
    full = one.get_full_name()
    return f"{one.username} ({full})" if full else one.username


def _answered_for(row: Owner) -> tuple[Badge, str]:
    if row.people().filter(is_active=True).exists():
        return Badge("answered for", "success"), (
            "The people below answer for its certificates, and may not approve what is asked for"
            " them."
        )
    if row.email:
        return Badge("an address alone", "warning"), (
            "Nobody here answers for it: there is an address and no account. Add members, or a"
            " team."
        )
    return Badge("nobody answers", "danger"), (
        "Nobody answers for what it owns: add members, or a team."
    )


def _may_act(row: Principal) -> tuple[Badge, str]:
    if row.kind == Principal.Kind.SYSTEM:
        return Badge("at work", "info"), (
            "Acts for sweeps and workers. Nobody signs in as it, and it decides nothing."
        )
    if row.for_devices:
        return Badge("for devices", "info"), (
            "Asks for what devices enroll at a label, and may do nothing else."
        )
    if not row.is_active:
        return Badge("disabled", "warning"), (
            "No password and no key is taken any more. The name stays in the trail."
        )
    if not (row.is_superuser or row.groups.all() or row.user_permissions.all()):
        return Badge(
            "may do nothing", "warning"
        ), "There is no role: give one, or disable the account."
    if row.is_staff and row.has_usable_password():
        return Badge("active", "success"), "Signs in here with a password."
    return Badge("active", "success"), "Does not sign in here, and acts by API keys alone."


def _roles(row: Principal) -> str:
    names = [role_of(row)] if role_of(row) else []
    return " · ".join([*names, *(["superuser"] if row.is_superuser else [])])


def _who_they_are(row: Principal) -> Facts:
    roles = {name for name, _ in ROLE_CHOICES}
    further = [group.name for group in row.groups.all() if group.name not in roles]
    rights = [str(one) for one in row.user_permissions.all()]
    return Facts(
        "Who they are and what they may",
        [
            Fact("User name", Code(row.username)),
            Fact("Name", row.get_full_name()),
            Fact("E-mail", row.email),
            Fact("Kind", _KINDS[Principal.Kind(row.kind)]),
            Fact("Role", _roles(row)),
            Fact("Further groups", further),
            Fact("Rights besides", rights, is_wide=bool(rights)),
            Fact("Has a password", row.has_usable_password()),
            Fact("Here since", row.date_joined),
        ],
    )


def _groups(request: HttpRequest, row: Principal) -> Table:
    teams = list(row.teams.order_by("name")[:SHOWN])
    owners = list(row.owners.select_related("team").order_by("name")[:SHOWN])
    return Table(
        "Teams and owners",
        ("Of what", "Which"),
        [
            *(("Team", link_to(request, team)) for team in teams),
            *(("Owner", link_to(request, owner)) for owner in owners),
        ],
        empty="They sit in no team and answer for nothing by name.",
        is_wide=False,
    )


def _keys(request: HttpRequest, row: Principal) -> Iterable[Table]:
    if not request.user.has_perm("owners.view_apikey"):
        return
    keys = row.api_keys.select_related("principal").order_by("disabled_at", "-created_at", "pk")
    known = list(keys[: SHOWN + 1])
    yield Table(
        "API keys",
        ("Key", "State", "At most", "From", "Used last", "Ends"),
        [
            (
                link_to(request, key, key.name),
                Badge(key_state(key), KEY_COLOURS[key_state(key)]),
                key.role_cap,
                ", ".join(key.allowed_networks) or "anywhere",
                key.last_used_at or "never",
                key.expires_at or "never",
            )
            for key in known[:SHOWN]
        ],
        empty="None.",
        more=link_to_list(request, "owners.apikey", "All keys", principal=row.pk),
    )
