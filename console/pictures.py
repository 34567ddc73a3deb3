"""The dashboard's charts and tables, of what was counted: each number with the list behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from certificates.models import Certificate, CertificateStatus, Revocation, Version
from console import stats, trends
from console.charts import Chart, Value, bars
from console.lists import list_of
from foundation import durations
from issuers.models import Issuer
from jobs.models import Job
from jobs.states import Status

# How many ends in a week are many: fixed, so that a colour means the same today and next year.
LEVELS = (
    (1, "1 to 9"),
    (10, "10 to 99"),
    (100, "100 to 999"),
    (1000, "1,000 and more"),
)
_GONE = (CertificateStatus.REVOKED, CertificateStatus.ARCHIVED)
_SERVED = ",".join(one for one in CertificateStatus.values if one not in _GONE)
_SIGNING = {"kind__in": f"{Job.Kind.ISSUANCE},{Job.Kind.RENEWAL}"}


@dataclass(frozen=True)
class Series:
    """One thing per day: its picture, its sum and the list behind that."""

    name: str
    total: str
    url: str
    chart: Chart
    mark: str  # its colour: a name in dashboard.css


@dataclass(frozen=True)
class PerDay:
    """What happened per day: a picture for each thing, and one table behind them all."""

    series: tuple[Series, ...]
    rows: tuple[tuple[date, tuple[Value, ...]], ...]
    success: str  # of renewals, in percent; "" where none ended
    failed_url: str


def per_day(counted: trends.Days, *, may_see_revocations: bool) -> PerDay:
    """Return the pictures of the last days; revocations for whoever may see them."""
    wanted: list[tuple[str, str, Sequence[int], type[Any], dict[str, object], str]] = [
        ("Issued", "issued", counted.issued, Job, _completed(Job.Kind.ISSUANCE), "completed_at"),
        ("Renewed", "renewed", counted.renewed, Job, _completed(Job.Kind.RENEWAL), "completed_at"),
        (
            "Failed",
            "failed",
            counted.failed,
            Job,
            {**_SIGNING, "status__exact": Status.FAILED},
            "completed_at",
        ),
    ]
    if may_see_revocations:
        wanted.append(("Revoked", "revoked", counted.revoked, Revocation, {}, "recorded_at"))
    starts = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in counted.days]
    series, columns = [], []
    for name, mark, counts, model, lookups, column in wanted:
        values = [
            Value(
                f"{start:%a} {start.day} {start:%b}",
                count,
                list_of(model, **lookups, **_span(column, start, start + timedelta(days=1))),
            )
            for start, count in zip(starts, counts, strict=True)
        ]
        columns.append(values)
        total, highest = sum(counts), max(counts, default=0)
        series.append(
            Series(
                name,
                f"{total:,}",
                list_of(model, **lookups, **{f"{column}__gte": starts[0]}),
                bars(
                    values,
                    ident=f"cc-chart-{mark}",
                    title=f"{name} per day",
                    words=f"{total:,} in {len(counts)} days, at most {highest:,} in a day.",
                ),
                mark,
            )
        )
    success = counted.renewal_success
    rows = [
        (day, tuple(column[place] for column in columns)) for place, day in enumerate(counted.days)
    ]
    return PerDay(
        tuple(series),
        tuple(reversed(rows)),
        "" if success is None else f"{success:.1f} %" if success < 100 else "100 %",  # noqa: PLR2004 - percent
        list_of(
            Job,
            kind__exact=Job.Kind.RENEWAL,
            status__exact=Status.FAILED,
            completed_at__gte=starts[0],
        ),
    )


def weeks(counted: Iterable[dict[str, Any]], now: datetime) -> Chart:
    """Return the picture of what ends in each of the coming weeks; they begin at this minute."""
    values = []
    for row in counted:
        begins = now + timedelta(weeks=row["week"])
        values.append(
            Value(
                f"{row['starts'].day} {row['starts']:%b}",
                row["count"],
                list_of(
                    Certificate,
                    status__in=_SERVED,
                    **_span("current__not_after", begins, begins + timedelta(weeks=1)),
                ),
                level=_level(row["count"]),
            )
        )
    total = sum(int(value.number) for value in values)
    return bars(
        values,
        ident="cc-chart-weeks",
        title="Certificates that end, per week",
        words=f"{total:,} end in the next {len(values)} weeks.",
        numbered=True,
    )


@dataclass(frozen=True)
class Forecast:
    """Renewals per day at shorter lifetimes: the sum of all issuers as a picture, each as a row."""

    chart: Chart
    rows: tuple[tuple[Issuer, Value, Value, tuple[Value, ...]], ...]
    columns: tuple[str, ...]


def forecast(loads: Iterable[trends.Load], issuers: Iterable[Issuer], now: datetime) -> Forecast:
    """Return the forecast of those `issuers` that have live certificates."""
    names = {str(issuer.pk): issuer for issuer in issuers}
    since = now - timedelta(days=trends.DAYS)
    rows = []
    sums = [0.0] * (len(trends.LIFETIMES) + 1)
    for load in loads:
        issuer = names.get(load.issuer)
        if issuer is None:
            continue
        live = Value("live", load.live, list_of(Certificate, issuer__id__exact=issuer.pk))
        seen = Value(
            "seen",
            round(load.seen, 1),
            list_of(
                Version,
                issuer__id__exact=issuer.pk,
                created_at__gte=since,
                number__gt=1,
                job_id__isnull=False,
            ),
        )
        foreseen = tuple(Value("foreseen", round(number, 1)) for number in load.foreseen)
        rows.append((issuer, live, seen, foreseen))
        sums = [one + more for one, more in zip(sums, (load.seen, *load.foreseen), strict=True)]
    columns = tuple(f"{lifetime} days" for lifetime in trends.LIFETIMES)
    labels = (f"seen, {trends.DAYS} days", *(f"at {one}" for one in columns))
    values = [Value(label, round(number, 1)) for label, number in zip(labels, sums, strict=True)]
    chart = bars(
        values,
        ident="cc-chart-forecast",
        title="Renewals per day, of all issuers",
        words="; ".join(f"{value.label}: {value.words}" for value in values) + ".",
        numbered=True,
    )
    return Forecast(chart, tuple(sorted(rows, key=lambda row: -row[1].number)), columns)


def latency(counted: trends.Latency) -> Chart | None:
    """Return the picture of how soon web processes knew of changes; None before there were any."""
    if not counted.changes:
        return None
    values = [
        Value(bound, count) for bound, count in zip(counted.bounds, counted.counts, strict=True)
    ]
    return bars(
        values,
        ident="cc-chart-latency",
        title="From a revocation to each web process knowing of it",
        words=f"Of {counted.changes:,} changes half were known within {counted.within(50)}, "
        f"and 95 % within {counted.within(95)}.",
        numbered=True,
    )


def tiles(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return one tile per status of certificates; alarming tones only where there are any."""
    return [
        {
            "label": status.label,
            "count": counts[status.value],
            "url": list_of(Certificate, status__exact=status.value),
            "tone": _TONES.get(status, "plain") if counts[status.value] else "plain",
        }
        for status in CertificateStatus
    ]


def jobs(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Return how many jobs are in each status, with the lists behind."""
    return [
        {
            "label": status.label,
            "count": counts[status.value],
            "url": list_of(Job, status__exact=status.value),
        }
        for status in Status
    ]


@dataclass(frozen=True)
class Queue:
    """How long the oldest due job has been waiting."""

    seconds: float
    url: str

    @property
    def words(self) -> str:
        """For how long, in words."""
        return durations.words(timedelta(seconds=round(self.seconds)))


def queue() -> Queue:
    """Return how old the oldest due job is, and what is due."""
    url = list_of(Job, status__exact=Status.PENDING, scheduled_at__lte=timezone.now())
    return Queue(stats.oldest_due_seconds(), url)


_TONES = {
    CertificateStatus.ACTIVE: "good",
    CertificateStatus.EXPIRING: "warn",
    CertificateStatus.RENEWAL_IN_PROGRESS: "warn",
    CertificateStatus.EXPIRED: "danger",
    CertificateStatus.FAILED: "danger",
    CertificateStatus.REVOKED: "danger",
}


def _completed(kind: str) -> dict[str, object]:
    return {"kind__exact": kind, "status__exact": Status.COMPLETED}


def _span(column: str, begins: datetime, ends: datetime) -> dict[str, object]:
    return {f"{column}__gte": begins, f"{column}__lt": ends}


def _level(count: int) -> int:
    return sum(count >= least for least, _ in LEVELS)
