"""What people say of a certificate, as one value for every way in."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection
from django.db.models import Q

from certificates.models import Certificate, RenewalPolicy
from foundation.errors import FieldError, Invalid
from issuers.models import Issuer, Profile
from owners.models import Owner, Team

MAX_TAGS, MAX_TAG = 32, 63
# Tags are found by substring of their JSON, so they are plain: no quotes, escapes or capitals.
_TAG = re.compile(rf"[a-z0-9][a-z0-9._:/=@-]{{0,{MAX_TAG - 1}}}")


def is_tag(text: str) -> bool:
    """Whether `text` can be a tag."""
    return _TAG.fullmatch(text) is not None


def tagged(tag: str) -> Q:
    """Return the condition that a certificate has `tag`; SQLite has no JSON containment."""
    if connection.vendor == "postgresql":
        return Q(tags__contains=[tag])  # by the index certs_tags
    return Q(tags__icontains=json.dumps(tag))


def of_teams(teams: Sequence[Any]) -> Q:
    """Return the condition that a certificate is of one of `teams` (keys): itself or by its owner.

    The owners are asked for first, for their keys go by an index beside the team's own.
    """
    owners = Owner.objects.filter(team__in=teams).order_by()
    return Q(team__in=teams) | Q(owner__in=list(owners.values_list("pk", flat=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What people say of a certificate; raises Invalid where something is out of bounds.

    Each is a column of Certificate of the same name, and the bounds are the column's. `issuer` and
    `profile` are what it is signed and renewed with. An empty name is made from the names in the
    certificate.
    """

    name: str = ""
    owner: Owner
    team: Team | None = None
    renewal_policy: RenewalPolicy | None = None
    environment: str = ""
    tags: Sequence[str] = ()
    issuer: Issuer
    profile: Profile

    def __post_init__(self) -> None:
        """Keep each tag once, in order."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        object.__setattr__(self, "tags", checked(said)["tags"])


# What may be said anew later, in the order in which forms ask for it; who signs and under which
# rules stays.
EDITABLE = tuple(field.name for field in fields(Details) if field.name not in {"issuer", "profile"})


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said, each tag once and in order; raises Invalid, naming what is wrong."""
    errors = [*_too_long(said), *_tag_errors(said.get("tags", ()))]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)
    return {**said, "tags": list(dict.fromkeys(said["tags"]))} if "tags" in said else dict(said)


def _too_long(said: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, value in said.items():
        column = Certificate._meta.get_field(name)  # noqa: SLF001 - Django's public name for it
        bound: int | None = getattr(column, "max_length", None)
        if bound is not None and len(value) > bound:
            yield FieldError(name, "max_length", f"Use up to {bound} characters.")


def _tag_errors(tags: Sequence[str]) -> Iterator[FieldError]:
    wrong = [str(tag)[:80] for tag in dict.fromkeys(tags) if not _TAG.fullmatch(str(tag))]
    if wrong:
        yield FieldError(
            "tags",
            "invalid_tag",
            f"These are no tags: {', '.join(wrong)}. A tag is up to {MAX_TAG} of"
            " a-z 0-9 . _ : / = @ -.",
        )
    elif len(set(tags)) > MAX_TAGS:
        yield FieldError("tags", "invalid_tag", f"At most {MAX_TAGS} tags are allowed.")
