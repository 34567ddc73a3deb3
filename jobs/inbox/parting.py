"""What waits for a decision, the most urgent first, parted by whether one person may approve it.

It is for showing: `jobs.policy` judges here as it does where something is decided, but of what was
read a moment ago. Whoever decides is asked about again, with everything held.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from django.db.models import F, Q, QuerySet

from foundation.errors import CertctlError
from jobs import policy
from jobs.inbox.reads import Together
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal

Part: TypeAlias = Literal["to_decide", "mine"]
SLICE = 250  # jobs that are read together
LOOKED_AT = 2000  # jobs that one page looks at, at most; the next goes on from there
PAGE = 25
RELATED = (
    "certificate__owner__team",
    "certificate__team",
    "certificate__issuer",
    "certificate__profile",
    "certificate__current",
    "version",
    "target",
    "requested_by",
    "csr_by",
)
# Long texts that nothing here reads.
_UNREAD = (
    *(
        f"{version}__{name}"
        for version in ("certificate__current", "version")
        for name in ("pem", "chain_pem", "csr_pem", "encrypted_key")
    ),
    *(
        f"certificate__issuer__{name}"
        for name in ("secrets", "chain_pem", "old_with_new_pem", "new_with_old_pem")
    ),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the order of urgency a job stands, whatever becomes of it."""

    until: datetime | None
    asked: datetime
    job: UUID

    @classmethod
    def of(cls, job: Job) -> "Place":
        """Return where `job` stands."""
        return cls(job.waits_until, job.created_at, job.pk)

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """Return the place that `str` wrote; None where it is none."""
        until, _, rest = text.partition(".")
        asked, _, job = rest.partition(".")
        try:
            return cls(_moment(until) if until else None, _moment(asked), UUID(job))
        except (ValueError, OverflowError):
            return None

    def __str__(self) -> str:
        until = "" if self.until is None else (self.until - _EPOCH) // _TICK
        return f"{until}.{(self.asked - _EPOCH) // _TICK}.{self.job}"

    @property
    def rank(self) -> tuple[bool, datetime, datetime, UUID]:
        """What places are in order by, as rows are by `behind`."""
        return (self.until is None, self.until or self.asked, self.asked, self.job)

    def behind(self) -> Q:
        """Return which jobs are less urgent; those without an end come last."""
        later = Q(created_at__gt=self.asked) | Q(created_at=self.asked, pk__gt=self.job)
        if self.until is None:
            return Q(waits_until__isnull=True) & later
        ends_later = Q(waits_until__gt=self.until) | Q(waits_until__isnull=True)
        return ends_later | Q(waits_until=self.until) & later


@dataclass(frozen=True, slots=True)
class Parted:
    """What one person may decide, and what is theirs and waits for others.

    Theirs is what they asked for, brought the key of or answer for. `last` is the place up to
    which was looked; None where nothing is behind it.
    """

    to_decide: list[Job]
    mine: list[Job]
    last: Place | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of one part, the most urgent first; `behind` is where to go on, None at the end.

    `is_cut` where the search for more was given up: what is behind may hold some or none.
    """

    jobs: list[Job]
    behind: Place | None
    is_cut: bool


def waiting() -> QuerySet[Job]:
    """Return all that waits for a decision, the most urgent first: by deadline, then by age."""
    rows = Job.objects.filter(status=Status.AWAITING_APPROVAL)
    return rows.order_by(F("waits_until").asc(nulls_last=True), "created_at", "pk")


def parted(*, actor: Principal, limit: int = SLICE, after: Place | None = None) -> Parted:
    """Part the `limit` most urgent jobs that wait, or those behind `after`.

    Six queries at most, however many there are. Whoever decides on nothing has nothing to decide,
    and what is not theirs is in neither part.
    """
    rows = waiting().select_related(*RELATED).defer(*_UNREAD)
    if after is not None:
        rows = rows.filter(after.behind())
    jobs = list(rows[: limit + 1])
    last = Place.of(jobs[limit - 1]) if len(jobs) > limit else None
    jobs = jobs[:limit]
    to_decide, mine = [], []
    decides = policy.may_decide_at_all(actor)
    for job, gains in _judged(actor, jobs):
        if gains:
            mine.append(job)
        elif decides:
            to_decide.append(job)
    return Parted(to_decide, mine, last)


def page(
    *,
    actor: Principal,
    part: Part = "to_decide",
    after: Place | None = None,
    size: int = PAGE,
    looked_at: int = LOOKED_AT,
) -> Page:
    """Return the first `size` jobs of a part, or of those behind `after`.

    It looks at `looked_at` jobs at most, SLICE at a time.
    """
    jobs: list[Job] = []
    place = after
    for _ in range(0, looked_at, SLICE):
        slice_ = parted(actor=actor, limit=SLICE, after=place)
        jobs += slice_.to_decide if part == "to_decide" else slice_.mine
        place = slice_.last
        if len(jobs) > size:
            return Page(jobs[:size], Place.of(jobs[size - 1]), is_cut=False)
        if place is None:
            return Page(jobs, None, is_cut=False)
    return Page(jobs, place, is_cut=True)


def _judged(actor: Principal, jobs: list[Job]) -> Iterator[tuple[Job, bool]]:
    """Yield each job with whether `actor` gains from it, and so may not approve it."""
    reads = Together(jobs) if jobs else policy.Reads()
    for job in jobs:
        try:
            yield job, policy.gains(actor, job, reads=reads)
        except CertctlError:
            # Its key cannot be read: nobody can approve it, and the page shows the rest.
            continue


def _moment(text: str) -> datetime:
    return _EPOCH + int(text) * _TICK
