"""One search over everything: each floor finds its own rows, here they are put beside each other.

Who may not look at a kind of row gets none of it, and it is not even asked for.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from certificates import search as certificates
from deployments import search as deployments
from foundation.hits import Hit, Rank, Sought
from foundation.waits import TookTooLong, timed
from issuers import search as issuers
from jobs import search as jobs
from owners import search as owners
from owners.models import Principal

SECONDS = 2.0  # for one kind
SECONDS_IN_ALL = 4.0  # after these no further kind is asked

CERTIFICATE, JOB = "certificates.certificate", "jobs.job"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row: `model` as "app.name", what a group of them is called, and its icon."""

    model: str
    title: str
    icon: str

    @property
    def permission(self) -> str:
        """Whoever has this may look at them."""
        app, name = self.model.split(".")
        return f"{app}.view_{name}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the admin: what it is called, where it is, and under which heading it stands."""

    title: str
    url: str
    icon: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind, the nearest first; `is_late` where time ran out."""

    kind: Kind
    hits: Sequence[Hit] = ()
    pages: Sequence[Page] = ()
    is_late: bool = False
    rank: Rank = Rank.PART


KINDS: tuple[tuple[Kind, Callable[[Sought, int], list[Hit]]], ...] = (
    (
        Kind("certificates.version", "Serials and fingerprints", "fingerprint"),
        certificates.find_versions,
    ),
    (Kind("owners.owner", "Owners", "badge"), owners.find_owners),
    (Kind("deployments.target", "Targets", "dns"), deployments.find_targets),
    (Kind("issuers.issuer", "Issuers", "account_balance"), issuers.find_issuers),
    (Kind("issuers.profile", "Profiles", "rule"), issuers.find_profiles),
    (Kind("owners.team", "Teams", "groups"), owners.find_teams),
    (Kind("owners.principal", "Principals", "person"), owners.find_principals),
)
CERTIFICATES = Kind(CERTIFICATE, "Certificates", "workspace_premium")
JOBS = Kind(JOB, "Jobs", "work_history")
PAGES = Kind("", "Pages", "web_asset")


def find(sought: Sought, *, principal: Principal, pages: Iterable[Page], limit: int) -> list[Group]:
    """Return what `principal` may see of what is sought, at most `limit` of each kind.

    `pages` are those that they may open. Groups with an exact hit come first, then those with one
    that begins so.
    """
    if not sought.text:
        return []
    ends = time.monotonic() + SECONDS_IN_ALL
    groups = [_pages(sought, pages, limit)]

    def ask(kind: Kind, finder: Callable[[Sought, int], list[Hit]]) -> list[Hit]:
        if time.monotonic() > ends:
            groups.append(Group(kind, is_late=True))
            return []
        try:
            with timed(SECONDS):
                hits = finder(sought, limit)
        except TookTooLong:
            groups.append(Group(kind, is_late=True))
            return []
        groups.append(Group(kind, hits, rank=min((hit.rank for hit in hits), default=Rank.PART)))
        return hits

    named: list[Hit] = []
    if principal.has_perm(CERTIFICATES.permission):
        named = ask(CERTIFICATES, certificates.find)
    if principal.has_perm(JOBS.permission):
        about = {hit.key for hit in named}
        ask(JOBS, lambda sought, limit: jobs.find(sought, limit, about=about))
    for kind, finder in KINDS:
        if principal.has_perm(kind.permission):
            ask(kind, finder)
    order = [CERTIFICATES, *(kind for kind, _ in KINDS), PAGES, JOBS]
    shown = [group for group in groups if group.hits or group.pages or group.is_late]
    return sorted(shown, key=lambda group: (group.rank, order.index(group.kind)))


def _pages(sought: Sought, pages: Iterable[Page], limit: int) -> Group:
    words = sought.folded.split()
    ranked = [
        (sought.rank([page.title]), page)
        for page in pages
        if all(word in f"{page.group} {page.title}".casefold() for word in words)
    ]
    ranked.sort(key=lambda pair: pair[0])
    best = ranked[0][0] if ranked else Rank.PART
    return Group(PAGES, pages=[page for _, page in ranked[:limit]], rank=best)
