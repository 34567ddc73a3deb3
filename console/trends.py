"""What happened and what is to come, counted: per day, per week, per issuer.

Each answer is one or two grouped queries over an index, and is kept for all who look (`kept`):
at a million rows a dashboard that polls must not count them anew for each reader.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from certificates.models import Certificate, CertificateStatus, Revocation, Version
from issuers.models import Profile
from jobs.models import Job
from jobs.states import Status
from pki_wellknown.models import LATENCY_BUCKETS, WebProcess

DAYS = 30
LIFETIMES = (200, 100, 47)  # days: CA/B BR 6.3.2 from March 2026, 2027 and 2029
RENEWED_AT = 2 / 3  # of its life
KEPT = timedelta(minutes=5)
T = TypeVar("T")
_SIGNING = (Job.Kind.ISSUANCE, Job.Kind.RENEWAL)
_LIVE = (
    CertificateStatus.ACTIVE,
    CertificateStatus.EXPIRING,
    CertificateStatus.RENEWAL_IN_PROGRESS,
)


def kept(name: str, make: Callable[[], T], *, during: timedelta = KEPT) -> T:
    """Return what `make` counted no longer than `during` ago, for whoever asks."""
    key = f"dashboard:{name}"
    value: T | None = cache.get(key)
    if value is None:
        value = make()
        cache.set(key, value, during.total_seconds())
    return value


class Day(TruncDate):
    """The day of a time in UTC.

    SQLite, where times are text in UTC, cuts it off itself: Django's own calls Python for each row.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Return the statement's part for SQLite."""
        sql, params = compiler.compile(self.lhs)
        return f"substr({sql}, 1, 10)", params


@dataclass(frozen=True)
class Days:
    """What came to its end on each of the last days (UTC), the first first."""

    days: tuple[date, ...]
    issued: tuple[int, ...]
    renewed: tuple[int, ...]
    failed: tuple[int, ...]
    revoked: tuple[int, ...]
    renewals_failed: int  # of `failed`, those of renewals

    @property
    def renewal_success(self) -> float | None:
        """The share of the renewals that ended which succeeded, in percent; None: none ended."""
        succeeded = sum(self.renewed)
        ended = succeeded + self.renewals_failed
        return 100 * succeeded / ended if ended else None


def first_day(now: datetime) -> datetime:
    """Return when the first of the last DAYS days begins: the last one is today."""
    return datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=DAYS - 1)


def days() -> Days:
    """Return what ended per day: issuances, renewals, what failed and stays so, revocations."""
    now = timezone.now().astimezone(UTC)
    since = first_day(now)
    every = tuple((since + timedelta(days=n)).date() for n in range(DAYS))
    jobs: dict[tuple[str, str], dict[date, int]] = defaultdict(dict)
    ended = Job.objects.filter(
        kind__in=_SIGNING, status__in=(Status.COMPLETED, Status.FAILED), completed_at__gte=since
    )
    for kind, status, day, count in _per_day(ended, "completed_at", "kind", "status"):
        jobs[kind, status][day] = count
    revoked = dict(_per_day(Revocation.objects.filter(recorded_at__gte=since), "recorded_at"))
    failures = [jobs[kind, Status.FAILED] for kind in _SIGNING]
    return Days(
        days=every,
        issued=_in_order(every, jobs[Job.Kind.ISSUANCE, Status.COMPLETED]),
        renewed=_in_order(every, jobs[Job.Kind.RENEWAL, Status.COMPLETED]),
        failed=tuple(sum(one.get(day, 0) for one in failures) for day in every),
        revoked=_in_order(every, revoked),
        renewals_failed=sum(jobs[Job.Kind.RENEWAL, Status.FAILED].values()),
    )


@dataclass(frozen=True)
class Load:
    """How many live certificates an issuer has, and renewals a day: seen, and foreseen."""

    issuer: str  # its id
    live: int
    seen: float
    foreseen: tuple[float, ...]  # by LIFETIMES


def forecast() -> list[Load]:
    """Return the renewals per day of each issuer, by id.

    Foreseen: each live certificate lives for that long, and is renewed at RENEWED_AT of it. CAs'
    own, RAs' and responders' do not count. Seen: the later versions that were signed here in the
    last DAYS days, through a job.
    """
    now = timezone.now()
    own = Profile.objects.filter(is_ca=True) | Profile.objects.filter(is_ra=True)
    own |= Profile.objects.filter(is_responder=True)
    living = Certificate.objects.filter(status__in=_LIVE).exclude(profile__in=own)
    live = dict(living.order_by().values_list("issuer").annotate(n=Count("pk")))
    signed = Version.objects.filter(
        created_at__gte=now - timedelta(days=DAYS), number__gt=1, job_id__isnull=False
    )
    seen = dict(signed.order_by().values_list("issuer").annotate(n=Count("pk")))
    return [
        Load(
            issuer=str(issuer),
            live=count,
            seen=seen.get(issuer, 0) / DAYS,
            foreseen=tuple(count / (days * RENEWED_AT) for days in LIFETIMES),
        )
        for issuer, count in live.items()
    ]


@dataclass(frozen=True)
class Latency:
    """Within which time web processes learned of changes: changes by bucket, all processes."""

    bounds: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def changes(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def within(self, percent: int) -> str:
        """Return the bound within which that share of the changes was known; "" for none."""
        reached = 0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            reached += count
            if count and 100 * reached >= percent * self.changes:
                return bound
        return ""


def latency(processes: Iterable[WebProcess]) -> Latency:
    """Return the histogram of all `processes` in one."""
    bounds = (*(f"{bound:g} s" for bound in LATENCY_BUCKETS), f"> {LATENCY_BUCKETS[-1]:g} s")
    counts = [0] * len(bounds)
    for row in processes:
        for place, count in enumerate(row.latency_counts[: len(counts)]):
            counts[place] += count
    return Latency(bounds, tuple(counts))


def _per_day(rows: Any, column: str, *others: str) -> Any:
    grouped = rows.order_by().annotate(day=Day(column, tzinfo=UTC))
    return grouped.values_list(*others, "day").annotate(n=Count("pk"))


def _in_order(every: Iterable[date], counts: Mapping[date, int]) -> tuple[int, ...]:
    return tuple(counts.get(day, 0) for day in every)
