"""What there is to list and show: names, columns, and how a thing is known by its name.

Addresses, filters and fields come from the API's own description (resources.json, made by
tools/client_table.py); here is what a person at a terminal wants of it.
"""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import UUID

from certctl_cli.errors import Stop
from certctl_cli.exits import Exit

if TYPE_CHECKING:  # start-up: the help of a command needs no HTTP
    from certctl_cli.api import Api


_FEW = 10  # names that an error lists


@dataclass(frozen=True, slots=True)
class Resource:
    """One list of the API.

    `columns` are fields of a row, dotted where they stand in another; `names` are the fields by
    which a row may be called, and `asks` the parameter that finds it by the first of them.
    """

    plural: str
    columns: tuple[str, ...]
    names: tuple[str, ...] = ()
    asks: str = ""
    key: str = "id"
    short: str = ""

    @property
    def path(self) -> str:
        """The list's address below /api/v1/."""
        return f"{self.plural}/"

    @property
    def filters(self) -> dict[str, dict[str, Any]]:
        """The parameters that narrow the list, with their choices and help."""
        return dict(_described()[self.plural]["filters"])

    @property
    def fields(self) -> list[str]:
        """What a row of the list has."""
        return list(_described()[self.plural]["fields"])

    @property
    def is_searched(self) -> bool:
        """Whether the list knows `search`."""
        return bool(_described()[self.plural]["search"])


RESOURCES = {
    one.plural: one
    for one in (
        Resource("agents", ("name", "state", "last_seen_at", "version"), ("name",), "name"),
        Resource(
            "agent-tokens",
            ("name", "state", "expires_at", "created_by_name", "used_at", "id"),
            ("name", "prefix"),
            "name",
            short="tokens",
        ),
        Resource("alerts", ("kind", "certificate_name", "issuer", "since", "detail", "id")),
        Resource(
            "api-keys",
            ("name", "principal_name", "role_cap", "expires_at", "last_used_at", "disabled_at"),
            ("name", "prefix"),
            "name",
            short="keys",
        ),
        Resource(
            "audit",
            ("sequence", "at", "actor_name", "door", "action", "subject_name"),
            key="sequence",
        ),
        Resource(
            "certificates",
            ("name", "status", "current.not_after", "owner_name", "issuer", "profile"),
            ("name",),
            "name",
        ),
        Resource(
            "deployments",
            ("certificate_name", "target_name", "health", "version_number", "checked_at", "id"),
        ),
        Resource(
            "enrollment-credentials",
            ("prefix", "label_name", "device_name", "one_time", "expires_at", "disabled_at"),
            ("prefix",),
            "prefix",
            short="credentials",
        ),
        Resource(
            "enrollment-devices",
            ("name", "label_name", "announced", "blocked_at", "created_at"),
            ("name",),
            "name",
            short="devices",
        ),
        Resource(
            "enrollment-labels",
            ("path", "protocol", "enabled", "issuer", "profile", "owner_name"),
            ("path",),
            "path",
            short="labels",
        ),
        Resource(
            "enrollments",
            ("created_at", "label_name", "device_name", "outcome", "certificate_name"),
        ),
        Resource(
            "issuers",
            ("slug", "name", "kind", "enabled", "not_after"),
            ("slug", "name"),
            "search",
        ),
        Resource(
            "jobs",
            ("kind", "status", "certificate_name", "requested_by_name", "created_at", "id"),
        ),
        Resource("owners", ("name", "email", "team", "members"), ("name",), "name"),
        Resource(
            "principals",
            ("username", "kind", "role", "is_active", "last_login"),
            ("username",),
            "username",
        ),
        Resource(
            "profiles",
            ("slug", "name", "enabled", "max_lifetime", "approval_required_for"),
            ("slug", "name"),
            "search",
        ),
        Resource(
            "renewal-policies",
            ("name", "auto_renew", "window", "reuse_key"),
            ("name",),
            "name",
            short="policies",
        ),
        Resource(
            "revocation-plans",
            ("id", "status", "reason", "count", "revoked", "failed", "left", "made_by"),
            short="plans",
        ),
        Resource(
            "revocations",
            ("certificate_name", "serial", "issuer", "reason", "revoked_at", "listed_in"),
            key="version",
        ),
        Resource(
            "targets", ("name", "kind", "enabled", "endpoint_host", "agent"), ("name",), "name"
        ),
        Resource("teams", ("name", "members"), ("name",), "name"),
        Resource(
            "versions",
            ("serial", "number", "issuer", "not_after", "key_algorithm", "is_revoked", "id"),
            ("serial",),
            "serial",
        ),
    )
}


@cache
def _described() -> dict[str, Any]:
    return dict(json.loads(files("certctl_cli").joinpath("resources.json").read_text()))


def resource_of(word: str) -> Resource:
    """Return what a person means by `word`: the plural, the singular, or a short name.

    Raises Stop with the nearest names.
    """
    known: dict[str, Resource] = {}
    for one in RESOURCES.values():
        for name in (one.plural, one.short):
            if name:
                known[name] = known[_singular(name)] = one
    if word in known:
        return known[word]
    near = get_close_matches(word, known, n=2)
    raise Stop(
        f"There is no kind of thing called {word!r}.",
        Exit.USAGE,
        hint=f"Did you mean {' or '.join(near)}?"
        if near
        else f"There are: {', '.join(RESOURCES)}.",
    )


def _singular(plural: str) -> str:
    if plural.endswith("ies"):
        return plural[:-3] + "y"
    return plural.removesuffix("s")


def one_of(api: "Api", resource: Resource, word: str) -> dict[str, Any]:
    """Return the row that `word` names: its id, or its name where only one has that name.

    Raises Stop where there is none or more than one.
    """
    if _is_id(resource, word):
        row: dict[str, Any] = api.get(f"{resource.path}{word}/")
        return row
    if not resource.names:
        raise Stop(
            f"{word!r} is no id, and {resource.plural} have no names.",
            Exit.USAGE,
            hint=f"Try: certctl list {resource.plural}",
        )
    rows = list(api.rows(resource.path, {resource.asks: word}))
    named = [row for row in rows if word in {row[field] for field in resource.names}]
    if len(named) == 1:
        return one_of(api, resource, str(named[0][resource.key]))
    if named:
        ids = "\n".join(f"  {row[resource.key]}" for row in named)
        raise Stop(
            f"{len(named)} {resource.plural} are called {word!r}; say which by its id:\n{ids}",
            Exit.USAGE,
        )
    raise Stop(
        f"There is none of the {resource.plural} called {word!r}.",
        Exit.NOT_FOUND,
        hint=_nearest(api, resource, word, rows),
    )


def id_of(api: "Api", resource: Resource, word: str) -> str:
    """Return the id of the row that `word` names; an id is taken as it is."""
    if _is_id(resource, word):
        return word
    return str(one_of(api, resource, word)[resource.key])


def _is_id(resource: Resource, word: str) -> bool:
    if resource.key == "sequence":
        return word.isdigit()
    try:
        return str(UUID(word)) == word.lower()
    except ValueError:
        return False


def _nearest(api: "Api", resource: Resource, word: str, rows: list[dict[str, Any]]) -> str:
    known = rows or list(api.rows(resource.path, most=500))
    names = sorted({str(row[resource.names[0]]) for row in known})
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if 0 < len(names) <= _FEW:
        return f"There are: {', '.join(names)}."
    return f"Try: certctl list {resource.plural}"
