"""The admin's front page: counts, and what waits for me."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from certificates.models import Alert, CertificateStatus
from console import first_steps, stats
from foundation.errors import CertctlError
from issuers.models import Issuer
from issuers.pointers import default_prefix, prefix_of, warning_of
from jobs import policy
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal
from revocation.models import Plan
from revocation.policy import BULK_REVOKE
from revocation.states import Status as PlanStatus

SHOWN = 8


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what templates/admin/index.html shows (unfold's DASHBOARD_CALLBACK)."""
    user = request.user
    assert isinstance(user, Principal)  # noqa: S101 - the admin lets nobody else in
    weeks = stats.expiring_by_week()
    highest = max((week["count"] for week in weeks), default=0) or 1
    for week in weeks:
        week["level"] = -(-4 * week["count"] // highest)
    mine, others = _waiting(user) if user.has_perm("jobs.decide_job") else ([], [])
    context.update(
        title="Dashboard",
        clock_words=stats.clock_words(),
        address_words=_address_words(),
        is_unfinished=first_steps.is_for(user),
        tiles=_tiles(),
        jobs=stats.jobs_by_status(),
        waiting_for_me=mine[:SHOWN],
        waiting_for_me_count=len(mine),
        waiting_for_others=others[:SHOWN],
        failed=Job.objects.filter(status=Status.FAILED)
        .select_related("certificate")
        .order_by("-completed_at")[:SHOWN],
        weeks=weeks,
        alerts=Alert.objects.open().select_related("certificate", "issuer", "acknowledged_by")[
            :SHOWN
        ],
        alerts_count=Alert.objects.open().count(),
        crls=[
            {"issuer": slug, "number": number, "next_update": ends, "late": ends < timezone.now()}
            for slug, number, ends in stats.newest_crls()
        ],
        events=Event.objects.order_by("-sequence")[:SHOWN]
        if user.has_perm("audit.view_event")
        else [],
        last_renewal=stats.last_renewal(),
        can_decide=user.has_perm("jobs.decide_job"),
        plans=_plans() if user.has_perm(BULK_REVOKE) else [],
    )
    return context


def _address_words() -> list[str]:
    """Return what to say of addresses that lead nowhere, before they are signed into anything."""
    issuers = Issuer.objects.filter(enabled=True).only("pki_prefix")
    prefixes = {default_prefix(), *(prefix_of(issuer) for issuer in issuers)}
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


TONES = {
    CertificateStatus.ACTIVE: "good",
    CertificateStatus.EXPIRING: "warn",
    CertificateStatus.RENEWAL_IN_PROGRESS: "warn",
    CertificateStatus.EXPIRED: "danger",
    CertificateStatus.FAILED: "danger",
    CertificateStatus.REVOKED: "danger",
}


def _tiles() -> list[dict[str, Any]]:
    """Return one tile per status of certificates; alarming tones only where there are any."""
    url = reverse("admin:certificates_certificate_changelist")
    counts = stats.certificates_by_status()
    return [
        {
            "label": status.label,
            "count": counts[status.value],
            "url": f"{url}?status__exact={status.value}",
            "tone": TONES.get(status, "plain") if counts[status.value] else "plain",
        }
        for status in CertificateStatus
    ]


def _waiting(user: Principal) -> tuple[list[Job], list[Job]]:
    """Part the jobs that wait for a decision: those that `user` may approve, and the others."""
    waiting = (
        Job.objects.filter(status=Status.AWAITING_APPROVAL)
        .select_related("certificate__owner", "certificate__profile", "requested_by")
        .order_by("created_at")[:200]
    )
    mine, others = [], []
    for job in waiting:
        try:
            policy.check_may_approve(user, job)
        except CertctlError:
            others.append(job)
        else:
            mine.append(job)
    return mine, others
