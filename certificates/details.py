"""What people say of a certificate, as one value for every way in."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from certificates.models import Certificate, RenewalPolicy
from foundation.errors import FieldError, Invalid
from issuers.models import Issuer, Profile
from owners.models import Owner, Team

MAX_TAGS, MAX_TAG = 32, 63
# Tags are found by substring of their JSON, so they are plain: no quotes, escapes or capitals.
_TAG = re.compile(rf"[a-z0-9][a-z0-9._:/=@-]{{0,{MAX_TAG - 1}}}")
# What may be said anew later; who signs and under which rules stays.
EDITABLE = ("name", "owner", "team", "renewal_policy", "environment", "tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What people say of a certificate; raises Invalid where something is out of bounds.

    `issuer` and `profile` are what it is signed and renewed with. An empty name is made from the
    names in the certificate.
    """

    owner: Owner
    issuer: Issuer
    profile: Profile
    name: str = ""
    team: Team | None = None
    renewal_policy: RenewalPolicy | None = None
    environment: str = ""
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Keep each tag once, in order."""
        said = {"name": self.name, "environment": self.environment, "tags": self.tags}
        object.__setattr__(self, "tags", checked(said)["tags"])


def checked(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said, each tag once and in order; raises Invalid, naming what is wrong."""
    errors = [*_too_long(said), *_tag_errors(said.get("tags", ()))]
    if errors:
        raise Invalid(" ".join(error["detail"] for error in errors), errors=errors)
    return {**said, "tags": list(dict.fromkeys(said["tags"]))} if "tags" in said else dict(said)


def _too_long(said: Mapping[str, Any]) -> Iterator[FieldError]:
    for name in ("name", "environment"):
        bound: int = getattr(Certificate._meta.get_field(name), "max_length", 0)  # noqa: SLF001 - Django's public name for it
        if len(said.get(name, "")) > bound:
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
