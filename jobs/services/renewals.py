"""Renewals that policies want, and alerts where what a policy wants does not come about."""

import logging
import secrets
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Subquery

from certificates import signers
from certificates.models import Alert, Certificate, CertificateStatus, RenewalPolicy, Version
from certificates.services import keep_alerts
from deployments.models import Deployment
from foundation.clock import database_clock
from foundation.errors import Conflict
from jobs.models import Job
from jobs.services import requests
from jobs.states import Status
from owners.models import Principal

logger = logging.getLogger(__name__)

# Renewals that fall due in the same hour are spread over this much.
SPREAD = timedelta(minutes=5)
# Who was told no is not asked the same again the next hour.
ASKED_AGAIN_AFTER = timedelta(days=1)
# What came to nothing is asked for again after this, or a tenth of the certificate's life.
PAUSE = timedelta(hours=1)
# A renewal must give at least a tenth of a life more: else it would be made again and again.
LEAST_GAIN = 10


def request_due_renewals(*, actor: Principal) -> int:
    """Ask for every renewal that its policy wants now; return how many were asked for.

    Idempotent: a certificate with an open job is no longer due, and the unique constraint refuses
    what two sweeps ask for at once. What an issuer may have carried out already is not ordered
    anew: a person has to look at the failed job first. Where a renewal would gain no time, or the
    CA is revoked, none is asked for, and an alert says so.
    """
    now = database_clock.now()
    asked, in_vain, orphaned = 0, {}, {}
    due = list(_due(now, actor))
    barred = signers.barred({row.issuer_id: row.issuer for row in due}.values())
    for certificate in due:
        version = certificate.current
        assert version is not None  # noqa: S101 - it would not be due
        if certificate.issuer_id in barred:
            orphaned[certificate.pk] = (
                f"{barred[certificate.issuer_id].detail} Ask another issuer for {certificate.name}."
            )
            continue
        try:
            why = _gains_nothing(certificate, version, now)
            if why:
                in_vain[certificate.pk] = why
            if why is not None or _rests(certificate, version, now):
                continue
            requests.request_renewal(
                actor=actor,
                certificate_id=certificate.pk,
                not_before=_spread(now, version.not_after),
            )
        except Conflict:
            continue
        except Exception:
            logger.exception("the renewal of certificate %s could not be asked for", certificate.pk)
            continue
        asked += 1
    keep_alerts(kind=Alert.Kind.RENEWAL_GAINS_NO_TIME, on="certificate", seen=in_vain, actor=actor)
    keep_alerts(kind=Alert.Kind.ISSUER_REVOKED, on="certificate", seen=orphaned, actor=actor)
    return asked


def watch_certificates(*, actor: Principal) -> int:
    """Raise and clear what is to be known of certificates; return how many alerts were raised.

    To be called after `request_due_renewals`, so that what it asked for counts.
    """
    now = database_clock.now()
    unrenewed = dict(_unrenewed(now))
    return keep_alerts(
        kind=Alert.Kind.EXPIRES_WITHOUT_RENEWAL, on="certificate", seen=unrenewed, actor=actor
    ) + keep_alerts(
        kind=Alert.Kind.VALIDATION_FAILED, on="certificate", seen=_not_served(), actor=actor
    )


def _due(now: datetime, actor: Principal) -> Iterator[Certificate]:
    # What follows a revocation, or an import, is an Issuance.
    renewals = Job.objects.filter(kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL))
    refused = renewals.filter(status=Status.CANCELLED, decided_at__gt=now - ASKED_AGAIN_AFTER)
    unclear = Job.objects.with_open_order().filter(
        created_at__gt=F("certificate__current__created_at")
    )
    ended = renewals.filter(
        certificate=OuterRef("pk"), status__in=(Status.FAILED, Status.CANCELLED)
    ).order_by(F("completed_at").desc(nulls_last=True))
    yield from (
        Certificate.objects.due_for_renewal(now)
        .exclude(pk__in=refused.values("certificate"))
        .exclude(pk__in=unclear.values("certificate"))
        .select_related("issuer", "profile")
        .annotate(
            last_ended=Subquery(ended.values("completed_at")[:1]),
            ended_before=Subquery(
                Version.objects.filter(
                    certificate=OuterRef("pk"), number=OuterRef("current__number") - 1
                ).values("not_after")[:1]
            ),
            is_by_sweep=Exists(renewals.filter(version=OuterRef("current"), requested_by=actor)),
        )
    )


def _gains_nothing(certificate: Certificate, version: Version, now: datetime) -> str | None:
    """Say why a renewal would gain no time; "" where it only would not yet, None where it would."""
    life = min(version.not_after - version.not_before, certificate.profile.max_lifetime)
    least = max(version.not_after, now) + life / LEAST_GAIN
    if now + certificate.profile.max_lifetime < least:
        return ""  # the profile became stricter: what is there lasts longer than a new one
    described = certificate.issuer.described
    if described is not None and described.not_after < least:
        return (
            f"Its CA {certificate.issuer} ends at {described.not_after:%Y-%m-%d %H:%M} UTC, so a "
            "renewal would gain no time. Have another issuer sign it."
        )
    before: datetime | None = getattr(certificate, "ended_before", None)
    is_by_sweep = getattr(certificate, "is_by_sweep", False)
    if not is_by_sweep or before is None or version.not_after <= now:
        return None
    if version.not_after < before + life / LEAST_GAIN:
        return (
            f"The last renewal moved its end only from {before:%Y-%m-%d %H:%M} to "
            f"{version.not_after:%Y-%m-%d %H:%M} UTC. Ask {certificate.issuer} why."
        )
    return None


def _rests(certificate: Certificate, version: Version, now: datetime) -> bool:
    """Whether a renewal came to nothing so lately that it is not asked for again yet."""
    ended: datetime | None = getattr(certificate, "last_ended", None)
    pause = min(PAUSE, (version.not_after - version.not_before) / 10)
    return ended is not None and ended > max(version.created_at, now - pause)


def _unrenewed(now: datetime) -> Iterator[tuple[uuid.UUID, str]]:
    """Yield certificates near their end, or past it, that nothing renews."""
    under_way = Job.objects.under_way().filter(
        certificate=OuterRef("pk"), kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL)
    )
    for rules in RenewalPolicy.objects.all():
        near = timedelta(days=max(rules.alert_days, default=0))
        if rules.auto_renew:
            near = min(near, rules.window)
        elif not rules.alert_days:
            continue  # nobody wants it renewed, nor to be told
        rows = (
            Certificate.objects.ending(now, near)
            .filter(renewal_policy=rules)
            .exclude(status__in=(CertificateStatus.ARCHIVED, CertificateStatus.REVOKED))
            .filter(Q(current__not_after__lte=now) | ~Exists(under_way))
            .values_list("pk", "name", "current__not_after")
        )
        for key, name, ends in rows.iterator():
            word = "ended" if ends <= now else "ends"
            yield key, f"{name} {word} at {ends:%Y-%m-%d %H:%M} UTC and nothing renewed it."


def _not_served() -> dict[uuid.UUID, str]:
    """Return the certificates that a target does not serve as deployed, no look being to come."""
    looks = Job.objects.under_way().filter(
        certificate=OuterRef("certificate"),
        target=OuterRef("target"),
        kind__in=(Job.Kind.DEPLOYMENT, Job.Kind.VALIDATION),
    )
    rows = (
        Deployment.objects.filter(
            health__in=(Deployment.Health.MISMATCH, Deployment.Health.DOWN),
            version__isnull=False,
            target__enabled=True,
        )
        .exclude(certificate__status=CertificateStatus.ARCHIVED)
        .exclude(Exists(looks))
        .order_by("certificate", "target__name")
    )
    places: dict[uuid.UUID, list[str]] = {}
    for key, name, health in rows.values_list("certificate", "target__name", "health").iterator():
        words = "does not answer" if health == Deployment.Health.DOWN else "serves another one"
        places.setdefault(key, []).append(f"{name} {words}")
    return {key: f"Not served as deployed: {', '.join(names)}." for key, names in places.items()}


def _spread(now: datetime, ends: datetime) -> datetime:
    """Return a moment within the next minutes, sooner for what ends soon."""
    room = min(SPREAD, max((ends - now) / 100, timedelta(0)))
    return now + room * (secrets.randbelow(1001) / 1000)
