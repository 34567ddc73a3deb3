"""What the installation says of itself: /health, /ready and /metrics."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from console import stats


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Say that the process answers; asks nothing of the database."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether requests can be served: database reachable and migrated, cache reachable."""
    checks = {"database": _database(), "migrations": _migrations(), "cache": _cache()}
    fine = all(value == "ok" for value in checks.values())
    return JsonResponse(
        {"status": "ok" if fine else "unavailable", "checks": checks}, status=200 if fine else 503
    )


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the gauges in Prometheus' text format: counts only, no names."""
    registry = CollectorRegistry()
    registry.register(_Gauges())
    registry.register(_Memories())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")


class _Gauges:
    """Counts asked of the database when they are scraped: true whatever process answers."""

    def collect(self) -> list[GaugeMetricFamily]:
        """Return one family per thing that is counted by status, and the CRLs' ages."""
        certificates = GaugeMetricFamily(
            "certctl_certificates", "Certificates by status.", labels=["status"]
        )
        for status, count in stats.certificates_by_status().items():
            certificates.add_metric([status], count)
        jobs = GaugeMetricFamily(
            "certctl_jobs", "Jobs by kind and status.", labels=["kind", "status"]
        )
        for (kind, status), count in stats.jobs_by_kind_and_status().items():
            jobs.add_metric([kind, status], count)
        due = GaugeMetricFamily("certctl_jobs_oldest_due_seconds", "Age of the oldest due job.")
        due.add_metric([], stats.oldest_due_seconds())
        number = GaugeMetricFamily("certctl_crl_number", "Newest CRL number.", labels=["issuer"])
        left = GaugeMetricFamily(
            "certctl_crl_seconds_left", "Seconds until the newest CRL ends.", labels=["issuer"]
        )
        now = timezone.now()
        for slug, crl_number, next_update in stats.newest_crls():
            number.add_metric([slug], crl_number)
            left.add_metric([slug], (next_update - now).total_seconds())
        alerts = GaugeMetricFamily("certctl_alerts", "Open alerts by kind.", labels=["kind"])
        for kind, count in stats.alerts_by_kind().items():
            alerts.add_metric([kind], count)
        ahead = GaugeMetricFamily(
            "certctl_clock_ahead_seconds",
            "By how much the answering process's clock is ahead of the database's.",
        )
        ahead.add_metric([], stats.clock_ahead_seconds())
        return [certificates, jobs, due, number, left, alerts, ahead, *_plans()]


def _plans() -> list[GaugeMetricFamily]:
    """Return one family a figure of the plans of bulk revocation, drills left out."""
    figures = stats.revocation_plans()
    plans = GaugeMetricFamily(
        "certctl_revocation_plans", "Plans of bulk revocation by status.", labels=["status"]
    )
    for status, count in figures.by_status.items():
        plans.add_metric([status], count)
    rows = GaugeMetricFamily(
        "certctl_revocation_plan_versions",
        "Versions of plans of bulk revocation by what became of them.",
        labels=["outcome"],
    )
    for outcome, count in figures.rows.items():
        rows.add_metric([outcome], count)
    oldest = GaugeMetricFamily(
        "certctl_revocation_plan_oldest_seconds",
        "Age of the oldest confirmed plan that has not ended.",
    )
    oldest.add_metric([], figures.oldest_seconds)
    return [plans, rows, oldest]


class _Memories:
    """OCSP from memory: each web process counts for itself, and has written it down."""

    def collect(self) -> list[Metric]:
        """Return one family a figure, with the process as label: counters of one never go back."""
        hits = CounterMetricFamily(
            "certctl_ocsp_memory_hits", "Questions answered from memory.", labels=["process"]
        )
        misses = CounterMetricFamily(
            "certctl_ocsp_memory_misses", "Common questions handed on.", labels=["process"]
        )
        entries = GaugeMetricFamily(
            "certctl_ocsp_memory_entries", "Answers in memory.", labels=["process"]
        )
        age = GaugeMetricFamily(
            "certctl_ocsp_confirmation_age_seconds",
            "The greatest age of a confirmation since it was last written down.",
            labels=["process"],
        )
        latency = HistogramMetricFamily(
            "certctl_ocsp_change_latency_seconds",
            "From the writing of a change, just before its commit, to the process knowing of it.",
            labels=["process"],
        )
        for row in stats.web_processes():
            hits.add_metric([row.name], row.hits)
            misses.add_metric([row.name], row.misses)
            entries.add_metric([row.name], row.entries)
            age.add_metric([row.name], row.confirmation_seconds)
            latency.add_metric([row.name], stats.buckets(row), row.latency_seconds)
        return [hits, misses, entries, age, latency]


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return "pending" if pending else "ok"


def _cache() -> str:
    # Counters of this process stand in for a Redis that is away, so it is asked itself.
    is_reachable = getattr(cache, "is_reachable", None)
    return "ok" if is_reachable is None or is_reachable() else "unreachable"
