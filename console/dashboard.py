"""The admin's front page: what needs me first, then what happened and what is to come.

Whoever may not see something in its own list does not see it here. What needs somebody is asked
at each look; what is counted over everything is kept for a while for all (console.trends.kept).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from audit.models import Event
from certificates.models import CRL, Alert
from certificates.policy import crl_is_late
from console import attention, first_steps, pictures, stats, trends, waiting
from console.lists import capped, in_words, list_of
from issuers.models import Issuer
from issuers.pointers import default_prefix, prefix_of, warning_of
from jobs import inbox, policy
from owners.models import Principal
from revocation.models import Plan
from revocation.policy import BULK_REVOKE
from revocation.states import Status as PlanStatus

SHOWN = 5
EVENTS = 8
NOTHING = inbox.Parted([], [], None)
COUNTS_KEPT = timedelta(seconds=30)


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what templates/admin/index.html shows (unfold's DASHBOARD_CALLBACK)."""
    context.update(
        title="Dashboard", is_unfinished=first_steps.is_for(request.user), **board(request)
    )
    return context


@require_safe
@never_cache
def fragment(request: HttpRequest) -> HttpResponse:
    """Answer with the board alone, for the page that shows it and asks every minute.

    401 to whoever is signed in no longer: a redirect would put the sign-in page into the board.
    """
    if not (request.user.is_active and getattr(request.user, "is_staff", False)):
        return HttpResponse("Sign in again.\n", status=401, content_type="text/plain")
    return render(request, "admin/board.html", board(request))


def board(request: HttpRequest) -> dict[str, Any]:
    """Return what templates/admin/board.html shows to whoever asks."""
    user = request.user
    assert isinstance(user, Principal)  # noqa: S101 - the admin lets nobody else in
    may = user.has_perm
    now = timezone.now()
    issuers = _issuers()
    return {
        "now": now,
        "clock_words": stats.clock_words(),
        "address_words": _address_words(issuers),
        **_first(request, user, now, issuers),
        **_trend(may, now, issuers),
        "events": Event.objects.order_by("-sequence")[:EVENTS] if may("audit.view_event") else None,
    }


def _first(
    request: HttpRequest, user: Principal, now: datetime, issuers: list[Issuer]
) -> dict[str, Any]:
    """Return what needs somebody."""
    may = user.has_perm
    can_decide = may(policy.DECIDE)
    awaited = waiting.parted(request) if can_decide else NOTHING
    duties = [
        attention.failed(now) if may("jobs.view_job") else None,
        attention.ending(now) if may("certificates.view_certificate") else None,
        attention.unproven() if may("deployments.view_deployment") else None,
    ]
    crls = _crls(now, issuers) if may("certificates.view_crl") else []
    ends = attention.ends(now, issuers, may=may)
    plans = _plans() if may(BULK_REVOKE) else []
    alerts = _alerts() if may("certificates.view_alert") else []
    open_alerts = Alert.objects.open()
    shown = [duty for duty in duties if duty is not None]
    counts = _counted(shown, open_alerts if len(alerts) == SHOWN else None)
    alerts_count = counts.get("alerts", len(alerts))
    late = [crl for crl in crls if crl["late"]]
    pressing = [end for end in ends if end.state != "fine"]
    return {
        "can_decide": can_decide,
        "waiting_for_me": awaited.to_decide[:SHOWN],
        "waiting_for_me_count": len(awaited.to_decide),
        "waiting_is_more": awaited.last is not None,
        "waiting_url": reverse("admin:jobs_inbox"),
        "waiting_for_others": awaited.mine[:SHOWN],
        "duties": [(duty, in_words(counts[duty.ident])) for duty in shown],
        "plans": plans,
        "plans_url": list_of(Plan) if plans else "",
        "alerts": alerts,
        "alerts_count": alerts_count,
        "alerts_words": in_words(alerts_count),
        "alerts_url": list_of(Alert, cleared_at__isnull=True),
        "may_see_alerts": may("certificates.view_alert"),
        "late_crls": late,
        "pressing": pressing,
        "crls": crls,
        "crls_url": list_of(CRL) if crls else "",
        "ends": ends[:EVENTS],
        "nothing_needed": not (awaited.to_decide or plans or alerts or late or pressing or shown),
    }


def _counted(duties: list[attention.Duty], alerts: QuerySet[Alert] | None) -> dict[str, int]:
    """Return how many of each there are: one query for all that have more than they show."""
    many: dict[str, QuerySet[Any]] = {duty.ident: duty.rows for duty in duties if duty.is_more}
    if alerts is not None:
        many["alerts"] = alerts
    few = {duty.ident: len(duty.lines) for duty in duties}
    return few | dict(zip(many, capped(*many.values()), strict=True))


def _trend(may: Callable[[str], bool], now: datetime, issuers: list[Issuer]) -> dict[str, Any]:
    """Return what is counted over everything, for whoever may see it."""
    shown: dict[str, Any] = {"days": trends.DAYS, "levels": pictures.LEVELS}
    if may("certificates.view_certificate"):
        counts, _ = trends.kept("statuses", stats.by_status, during=COUNTS_KEPT)
        shown["tiles"] = pictures.tiles(counts)
        # The weeks begin when they were counted, so that the lists behind them show the same.
        at, weeks = trends.kept("weeks", lambda: (now, stats.expiring_by_week()))
        shown["weeks"] = pictures.weeks(weeks, at)
        if may("certificates.view_version") and may("issuers.view_issuer"):
            at, loads = trends.kept("forecast", lambda: (now, trends.forecast()))
            shown["forecast"] = pictures.forecast(loads, issuers, at)
    if may("jobs.view_job"):
        _, counts = trends.kept("statuses", stats.by_status, during=COUNTS_KEPT)
        shown["jobs"] = pictures.jobs(counts)
        shown["queue"] = pictures.queue()
        sees = may("certificates.view_revocation")
        at, days = trends.kept("days", lambda: (now, trends.days()))
        shown["per_day"] = pictures.per_day(days, may_see_revocations=sees)
        shown["counted_at"] = at
    if may("certificates.view_revocation"):
        shown["latency"] = pictures.latency(trends.latency(stats.web_processes()))
        shown["may_see_latency"] = True
    return shown


def _issuers() -> list[Issuer]:
    """Return all issuers, each with its newest CRL: one query."""
    newest = CRL.objects.filter(issuer=OuterRef("pk")).order_by("-number")
    rows = Issuer.objects.annotate(
        newest_number=Subquery(newest.values("number")[:1]),
        newest_made=Subquery(newest.values("this_update")[:1]),
        newest_ends=Subquery(newest.values("next_update")[:1]),
    )
    return list(rows.defer("secrets", "chain_pem", "old_with_new_pem", "new_with_old_pem"))


def _crls(now: datetime, issuers: list[Issuer]) -> list[dict[str, Any]]:
    return [
        {
            "issuer": issuer,
            "number": issuer.newest_number,  # type: ignore[attr-defined]  # annotated
            "next_update": issuer.newest_ends,  # type: ignore[attr-defined]
            "over": issuer.newest_ends < now,  # type: ignore[attr-defined]
            "late": crl_is_late(issuer.newest_made, issuer.newest_ends, now),  # type: ignore[attr-defined]
        }
        for issuer in issuers
        if issuer.newest_number is not None  # type: ignore[attr-defined]
    ]


def _address_words(issuers: list[Issuer]) -> list[str]:
    """Return what to say of addresses that lead nowhere, before they are signed into anything."""
    prefixes = {default_prefix(), *(prefix_of(issuer) for issuer in issuers if issuer.enabled)}
    return [words for prefix in sorted(prefixes) if (words := warning_of(prefix))]


def _alerts() -> list[Alert]:
    """Return the newest open alerts, those that nobody knows of first."""
    rows = Alert.objects.open().select_related("certificate", "issuer", "acknowledged_by")
    return list(rows.order_by(F("acknowledged_at").asc(nulls_first=True), "-since")[:SHOWN])


def _plans() -> list[Plan]:
    """Return the plans of bulk revocation that somebody has to confirm, or to look at."""
    waiting = Plan.objects.filter(status=PlanStatus.PREVIEWED, expires_at__gt=timezone.now())
    rows = (waiting | Plan.objects.unseen()).select_related("made_by", "confirmed_by")
    return list(rows.order_by("-made_at")[:SHOWN])
