"""The page about a profile: its rules in words, and who may sign under it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from typing_extensions import override

from audit.history import history_about
from foundation import durations
from foundation.admin import Page
from foundation.admin.parts import Code, Fact, Facts, Head, Lines, Names, Section, Table
from issuers.admin import words
from issuers.admin.standing import ISSUER_COLUMNS, issuer_cells, profile_badge
from issuers.models import Profile

SHOWN = 50  # issuers of a profile


class ProfilePage(Page):
    """What is shown of a profile to whoever may read it; apps above add what stands under it."""

    @override
    def head(self, request: HttpRequest, row: Profile) -> Head:
        return Head(
            "Profile",
            row.name if row.name == row.slug else f"{row.name} ({row.slug})",
            profile_badge(row),
            [_standing(row), *([row.description] if row.description else [])],
            [
                Fact("Longest life", durations.words(row.max_lifetime)),
                Fact("Somebody else approves", _approvals(row)),
            ],
        )

    @override
    def sections(self, request: HttpRequest, row: Profile) -> Iterable[Section]:
        yield _names(row)
        yield _keys(row)
        yield _approval(row)
        yield from _issuers(request, row)

    @override
    def last_sections(self, request: HttpRequest, row: Profile) -> Iterable[Section]:
        yield from history_about(request, row)


def _standing(row: Profile) -> str:
    if row.is_reserved:
        return (
            "certctl asks for certificates under it itself: nobody else can, and nobody edits it."
        )
    if not row.enabled:
        return "Nothing is issued under it. Enable it to have certificates asked for again."
    if not row.allowed_sans:
        return "It allows no name, so nothing is issued under it. Allow some to change that."
    return "Certificates may be asked for under it."


def _approvals(row: Profile) -> str:
    return ", ".join(row.approval_required_for) or "nothing"


def _names(row: Profile) -> Facts:
    most = f"at most {row.max_sans} in one certificate"
    fixed = [f"{name}={text}" for name, text in row.fixed_subject.items()]
    return Facts(
        "Names",
        [
            Fact("Allowed", Names(row.allowed_sans) if row.allowed_sans else "none", most,
                 is_wide=True),
            Fact("Required", Names(row.required_sans) if row.required_sans else "no particular one",
                 is_wide=True),
            Fact("Wildcards", "may be asked for" if row.allow_wildcards else "are refused"),
            Fact("Subject may have", _worded(row.subject_attributes, words.ATTRIBUTES) or "nothing",
                 is_wide=True),
            Fact("Subject gets", Code(", ".join(fixed)) if fixed else "nothing of ours"),
        ],
    )  # fmt: skip


def _keys(row: Profile) -> Facts:
    revocation = (
        "is in no CRL and no OCSP: it ends too soon (RFC 9608)"
        if row.is_short_lived
        else "by CRL and OCSP"
    )
    return Facts(
        "Key, purpose and life",
        [
            Fact("Keys", _worded(row.key_algorithms, words.ALGORITHMS), is_wide=True),
            Fact(
                "Purposes", _worded(row.extended_key_usage, words.PURPOSES) or "any", is_wide=True
            ),
            Fact("The key", _worded(row.key_usage, words.USAGES) or "is not limited", is_wide=True),
            Fact("Longest life", durations.words(row.max_lifetime)),
            Fact("Revocation", revocation),
        ],
    )


def _approval(row: Profile) -> Facts:
    return Facts(
        "Asking",
        [
            Fact(
                "Somebody else approves",
                _worded(row.approval_required_for, words.WORK) or "nothing: it is issued as asked",
                is_wide=True,
            ),
            Fact(
                "Whoever asks",
                "must say why" if row.justification_required else "may say why",
            ),
            Fact("Here since", row.created_at),
        ],
    )


def _issuers(request: HttpRequest, row: Profile) -> Iterable[Table]:
    if not request.user.has_perm("issuers.view_issuer"):
        return
    issuers = row.issuers.defer("secrets").order_by("slug")[:SHOWN]
    yield Table(
        "Who may sign",
        ISSUER_COLUMNS,
        [issuer_cells(request, one) for one in issuers],
        empty="Any issuer that is enabled.",
        is_wide=False,
    )


def _worded(codes: Sequence[str], known: Mapping[str, str]) -> Any:
    """Return codes each with what it means, one a line; a code that has no words alone."""
    return Lines([(code, known.get(code, "")) for code in codes]) if codes else None
