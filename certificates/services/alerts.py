"""Alerts: raised and cleared by sweeps, acknowledged by people."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from audit.services import record
from audit.use_cases import use_case
from certificates import policy
from certificates.models import CRL, Alert, OCSPResponse
from foundation.clock import database_clock
from foundation.errors import Conflict
from foundation.preconditions import as_expected
from issuers.models import Issuer
from issuers.x509 import opinion
from owners.models import Principal

logger = logging.getLogger(__name__)

TOUCHED_EVERY = timedelta(minutes=10)  # `last_seen` is no closer than that
CA_ENDS_SOON = timedelta(days=90)
MAX_LINTED = 256 * 1024  # bytes of a CRL; pkilint takes a minute for a MiB
FIRST_CRL_WITHIN = timedelta(minutes=10)


class AlertOver(Conflict):
    """There is nothing left to acknowledge."""

    code = "alert_over"
    message = "This alert is over."


@use_case("alert.acknowledge", on=Alert)
def acknowledge_alert(*, alert_id: UUID, actor: Principal) -> Alert:
    """Say that somebody knows of it; the first one to say so stays. Raises AlertOver."""
    alert = as_expected(actor, Alert.objects.select_for_update(no_key=True).get(pk=alert_id))
    if alert.cleared_at is not None:
        raise AlertOver
    if alert.acknowledged_at is None:
        alert.acknowledged_by, alert.acknowledged_at = actor, database_clock.now()
        alert.save(update_fields=["acknowledged_by", "acknowledged_at"])
        record(actor=actor, action="alert.acknowledge", subject=alert, kind=alert.kind)
    return alert


def keep_alerts(*, kind: Alert.Kind, on: str, seen: Mapping[UUID, str], actor: Principal) -> int:
    """Have exactly the open alerts of `kind` that are in `seen`; return how many were raised.

    `seen` is the whole truth of this moment: the key of each subject (`on` is "certificate" or
    "issuer") and the words for it. Each alert is a transaction of its own.
    """
    now = database_clock.now()
    known = {getattr(row, f"{on}_id"): row for row in Alert.objects.open().filter(kind=kind)}
    raised = 0
    for key, detail in seen.items():
        alert = known.get(key)
        if alert is None:
            raised += _raise(kind, {f"{on}_id": key}, detail, actor, now)
        elif alert.detail != detail or alert.last_seen <= now - TOUCHED_EVERY:
            Alert.objects.open().filter(pk=alert.pk).update(detail=detail, last_seen=now)
    for key, alert in known.items():
        if key not in seen:
            _clear(alert.pk, actor, now)
    return raised


def watch_issuers(*, actor: Principal) -> int:
    """Raise and clear what is to be known of issuers; return how many alerts were raised."""
    now = database_clock.now()
    ending: dict[UUID, str] = {}
    late: dict[UUID, str] = {}
    faulty: dict[UUID, str] = {}
    for issuer in Issuer.objects.order_by("slug"):
        try:
            ending |= _ending(issuer, now)
            late |= _late(issuer, now)
            faulty |= _faulty(issuer)
        except Exception:
            logger.exception("issuer %s could not be looked at", issuer.slug)
    seen = {
        Alert.Kind.CA_ENDS_SOON: ending,
        Alert.Kind.CRL_LATE: late,
        Alert.Kind.LINT_FAILED: faulty,
    }
    return sum(
        keep_alerts(kind=kind, on="issuer", seen=of_kind, actor=actor)
        for kind, of_kind in seen.items()
    )


def _ending(issuer: Issuer, now: datetime) -> dict[UUID, str]:
    described = issuer.described
    if described is None or not issuer.enabled:
        return {}
    soon = policy.renewal_window(CA_ENDS_SOON, described.not_before, described.not_after)
    if described.not_after > now + soon:
        return {}
    return {
        issuer.pk: f"The CA certificate of {issuer} ends at {described.not_after:%Y-%m-%d %H:%M} "
        "UTC, and nothing that it signs lasts longer. Make its successor."
    }


def _late(issuer: Issuer, now: datetime) -> dict[UUID, str]:
    if not issuer.answers_for_revocation:
        return {}
    newest = CRL.objects.filter(issuer=issuer).order_by("-number").first()
    if newest is None:
        if issuer.created_at > now - FIRST_CRL_WITHIN:
            return {}
        return {issuer.pk: f"{issuer} has published no CRL."}
    if not policy.crl_is_late(newest.this_update, newest.next_update, now):
        return {}
    return {
        issuer.pk: f"CRL {newest.number} of {issuer} ends at "
        f"{newest.next_update:%Y-%m-%d %H:%M} UTC and no newer one was published. "
        "See the worker's log."
    }


def _faulty(issuer: Issuer) -> dict[UUID, str]:
    """Say what pkilint finds in the newest CRL and the newest OCSP answer (CERTCTL_LINT).

    Afterwards, and of one answer: a CRL that is not published is worse than one with a fault, and
    all answers are made by the same code.
    """
    if not settings.LINT:
        return {}
    findings = []
    newest = CRL.objects.filter(issuer=issuer).order_by("-number")
    etags = newest.values_list("etag", "pk")[:1]
    for etag, pk in etags:
        findings += [f"CRL: {one}" for one in _of_crl(etag, pk)]
    answer = OCSPResponse.objects.filter(version__issuer=issuer).order_by("-this_update").first()
    if answer is not None:
        findings += [f"OCSP: {one}" for one in opinion.of_response(bytes(answer.der))]
    if not findings:
        return {}
    said = "; ".join(findings[: opinion.MOST_SAID])
    return {issuer.pk: f"pkilint finds fault with what {issuer} publishes. {said}"}


@lru_cache(maxsize=1000)
def _of_crl(etag: str, pk: int) -> list[str]:
    # By its digest, so that each CRL is looked at once in a process; a long one not at all.
    row = CRL.objects.filter(pk=pk, size__lte=MAX_LINTED).first()
    return opinion.of_crl(row.der) if row is not None else []


@transaction.atomic
def _raise(
    kind: Alert.Kind, subject: Mapping[str, UUID], detail: str, actor: Principal, now: datetime
) -> bool:
    alert = Alert(kind=kind, detail=detail, since=now, last_seen=now, **subject)
    try:
        with transaction.atomic():
            alert.save(force_insert=True)
    except IntegrityError:
        return False  # another sweep saw it too
    record(actor=actor, action="alert.raise", subject=alert, kind=kind, detail=detail)
    transaction.on_commit(lambda: logger.warning("alert %s: %s", kind, detail))
    return True


@transaction.atomic
def _clear(pk: UUID, actor: Principal, now: datetime) -> None:
    alert = Alert.objects.open().select_for_update(no_key=True, skip_locked=True).filter(pk=pk)
    row = alert.first()
    if row is None:
        return
    row.cleared_at = now
    row.save(update_fields=["cleared_at"])
    record(actor=actor, action="alert.clear", subject=row, kind=row.kind)
