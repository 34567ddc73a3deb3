"""Counts over everything: for the dashboard, the REST stats and the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db.models import Count, IntegerField, Min, OuterRef, Q, Subquery, Sum, Value
from django.utils import timezone

from certificates.models import CRL, Alert, Certificate, CertificateStatus
from foundation.clock import TOLERANCE, database_clock
from issuers.models import Issuer
from jobs.models import Job
from jobs.states import Status
from pki_wellknown.models import LATENCY_BUCKETS, WebProcess
from revocation.models import Plan
from revocation.states import Outcome
from revocation.states import Status as PlanStatus

# A web process writes its figures down every few seconds; one that is silent for longer has ended.
SILENT_AFTER = timedelta(seconds=60)


def certificates_by_status() -> dict[str, int]:
    """Return how many certificates are in each status, zeros included."""
    rows = Certificate.objects.order_by().values_list("status").annotate(n=Count("pk"))
    return {str(status): 0 for status in CertificateStatus.values} | dict(rows)


def jobs_by_kind_and_status() -> dict[tuple[str, str], int]:
    """Return how many jobs of each kind are in each status."""
    rows = Job.objects.order_by().values_list("kind", "status").annotate(n=Count("pk"))
    return {(kind, status): n for kind, status, n in rows}


def by_status() -> tuple[dict[str, int], dict[str, int]]:
    """Return how many certificates, and how many jobs, are in each status, in one query."""
    models: tuple[type[Certificate | Job], ...] = (Certificate, Job)
    first, second = (
        model.objects.order_by()
        .values("status")
        .annotate(of=Value(number, output_field=IntegerField()), n=Count("pk"))
        .values_list("of", "status", "n")
        for number, model in enumerate(models)
    )
    counts = (
        {str(status): 0 for status in CertificateStatus.values},
        {str(status): 0 for status in Status.values},
    )
    for of, status, number in first.union(second, all=True):
        counts[of][status] = number
    return counts


def oldest_due_seconds() -> float:
    """Return for how long the oldest due job has been waiting for a worker; 0 where none is."""
    now = timezone.now()
    first = Job.objects.due(now).values_list("scheduled_at", flat=True).first()
    return (now - first).total_seconds() if first else 0.0


def newest_crls() -> list[tuple[str, int, datetime]]:
    """Return (issuer slug, number, next_update) of every issuer's newest CRL."""
    newest = CRL.objects.filter(issuer=OuterRef("pk")).order_by("-number")
    rows = Issuer.objects.annotate(
        number=Subquery(newest.values("number")[:1]),
        ends=Subquery(newest.values("next_update")[:1]),
    ).filter(number__isnull=False)
    return [(row.slug, row.number, row.ends) for row in rows]


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """Plans of bulk revocation that are no drills: how many stand where, and their versions."""

    by_status: dict[str, int]
    rows: dict[str, int]  # by outcome, and "pending" of those that run or are paused
    oldest_seconds: float  # since the confirmation of the oldest that has not ended; 0: none


def revocation_plans() -> PlanFigures:
    """Return how the plans of bulk revocation stand, in one query."""
    outcomes = [str(one) for one in Outcome.values]
    rows = (
        Plan.objects.filter(drill=False)
        .order_by()
        .values("status")
        .annotate(
            n=Count("pk"),
            versions=Sum("count"),
            since=Min("confirmed_at"),
            **{f"of_{one}": Sum(one) for one in outcomes},
        )
    )
    by_status = {str(status): 0 for status in PlanStatus.values}
    figures, oldest = dict.fromkeys([*outcomes, "pending"], 0), 0.0
    for row in rows:
        by_status[row["status"]] = row["n"]
        sums: dict[str, Any] = dict(row)
        done = {one: int(sums[f"of_{one}"]) for one in outcomes}
        for one, number in done.items():
            figures[one] += number
        if row["status"] in {PlanStatus.RUNNING, PlanStatus.PAUSED}:
            figures["pending"] += row["versions"] - sum(done.values())
            oldest = max(oldest, (timezone.now() - row["since"]).total_seconds())
    return PlanFigures(by_status, figures, oldest)


def expiring_by_week(weeks: int = 12) -> list[dict[str, Any]]:
    """Return how many current versions end in each of the coming weeks."""
    now = timezone.now()
    served = Certificate.objects.exclude(
        status__in=(CertificateStatus.REVOKED, CertificateStatus.ARCHIVED)
    )
    edges = [now + timedelta(weeks=week) for week in range(weeks + 1)]
    ends = served.filter(current__not_after__gt=now, current__not_after__lte=edges[-1])
    # Each week has its first moment, and the last week its very end too.
    counted = ends.aggregate(
        **{
            str(week): Count(
                "pk",
                filter=Q(current__not_after__gte=edges[week])
                & (
                    Q(current__not_after__lt=edges[week + 1])
                    if week + 1 < weeks
                    else Q(current__not_after__lte=edges[week + 1])
                ),
            )
            for week in range(weeks)
        }
    )
    return [
        {"week": week, "starts": edges[week].date(), "count": counted[str(week)]}
        for week in range(weeks)
    ]


def alerts_by_kind() -> dict[str, int]:
    """Return how many open alerts there are of each kind, zeros included."""
    rows = Alert.objects.open().order_by().values_list("kind").annotate(n=Count("pk"))
    return {str(kind): 0 for kind in Alert.Kind.values} | dict(rows)


def clock_ahead_seconds() -> float:
    """Return by how much this process's clock is ahead of the database's; negative: behind."""
    return database_clock.ahead().total_seconds()


def clock_words() -> str:
    """Say by how much this web server's clock is wrong; nothing where it is right enough."""
    ahead = clock_ahead_seconds()
    if abs(ahead) <= TOLERANCE.total_seconds():
        return ""
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"This web server's clock is {abs(ahead):.0f} s {side} the database's, which decides. "
        "Set it right."
    )


def web_processes() -> list[WebProcess]:
    """Return what each web process counts of its OCSP memory."""
    return list(WebProcess.objects.filter(seen_at__gt=timezone.now() - SILENT_AFTER))


def buckets(row: WebProcess) -> list[tuple[str, float]]:
    """Return how many changes a process knew of within each bound, as Prometheus wants them."""
    bounds = [*(str(one) for one in LATENCY_BUCKETS), "+Inf"]
    return list(zip(bounds, accumulate(map(float, row.latency_counts)), strict=True))
