"""RA certificates of SCEP labels: asked for with the label, renewed and replaced in time."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from certificates.models import Alert, Certificate, CertificateStatus
from certificates.services import keep_alerts
from enrollment import policy, ra_keys
from enrollment.models import Label
from enrollment.states import Protocol
from foundation.clock import database_clock
from foundation.errors import Conflict, Invalid
from issuers.services.checking import MAX_COMMON_NAME
from issuers.services.profiles import RA_NAME
from jobs.runner import run_at_once
from jobs.services import renew_ra, request_ra
from jobs.services.own import is_due
from owners.models import Principal

logger = logging.getLogger(__name__)

# A new label, or a new issuer, has this long before somebody is called to look at it.
PATIENCE = timedelta(minutes=5)


def ask_for_ra(*, actor: Principal, label: Label, by_worker: bool = False) -> None:
    """Ask for the label's RA certificate from its issuer, and set it on the row in memory.

    A CA of ours signs it as soon as the transaction has ended, unless it is left to a worker.
    Raises what `request_ra` does.
    """
    at_once = policy.signs_at_once(label.issuer) and not by_worker
    job = request_ra(
        actor=actor,
        common_name=f"{RA_NAME}{label.path}"[:MAX_COMMON_NAME],
        issuer=label.issuer,
        owner=label.owner,
        team=label.team,
        environment=label.environment,
        tags=label.tags,
        at_once=at_once,
    )
    label.ra_certificate = job.certificate
    if at_once:
        # Where that fails, or the process dies, a worker does it: the job is there.
        transaction.on_commit(partial(run_at_once, job.pk), robust=True)


def tend_ra_certificates(*, actor: Principal) -> int:
    """Renew and replace the RA certificates of SCEP labels; return how many were asked for.

    Idempotent, as every sweep. Where a label has none that is valid, an alert says so.
    """
    now = database_clock.now()
    labels = Label.objects.filter(protocol=Protocol.SCEP, enabled=True).order_by("path")
    asked = 0
    for key in labels.values_list("pk", flat=True):
        try:
            asked += _tend(key, actor, now)
        except Exception:
            logger.exception("the RA certificate of label %s could not be asked for", key)
    keep_alerts(
        kind=Alert.Kind.RA_NOT_VALID, on="certificate", seen=dict(_silent(now)), actor=actor
    )
    return asked


def _tend(key: UUID, actor: Principal, now: datetime) -> bool:
    label = Label.objects.select_related(
        "issuer", "ra_certificate__issuer", "ra_certificate__current__revocation"
    ).get(pk=key)
    certificate = label.ra_certificate
    if certificate is None or not _can_go_on(certificate, label):
        return _replace(key, actor)
    if not is_due(certificate, now):
        return False
    try:
        renew_ra(actor=actor, certificate_id=certificate.pk)
    except (Conflict, Invalid) as error:
        logger.warning("the RA certificate of %s cannot be renewed: %s", label, error.detail)
        return False
    return True


@transaction.atomic
def _replace(key: UUID, actor: Principal) -> bool:
    """Ask for another certificate in the place of what is not there or cannot go on."""
    label = Label.objects.select_for_update(no_key=True).get(pk=key)
    if label.ra_certificate is not None and _can_go_on(label.ra_certificate, label):
        return False  # somebody else was first
    try:
        with transaction.atomic():
            ask_for_ra(actor=actor, label=label, by_worker=True)
    except (Conflict, Invalid) as error:
        logger.warning("%s gets no RA certificate: %s", label, error)
        return False
    label.save(update_fields=["ra_certificate"])
    return True


def _can_go_on(certificate: Certificate, label: Label) -> bool:
    is_archived = certificate.status == CertificateStatus.ARCHIVED
    return not is_archived and certificate.issuer_id == label.issuer_id


def _silent(now: datetime) -> Iterator[tuple[UUID, str]]:
    """Yield the labels that cannot answer, by the certificate that they should have."""
    rows = Label.objects.filter(
        protocol=Protocol.SCEP, enabled=True, ra_certificate__isnull=False
    ).select_related("ra_certificate", "issuer")
    for label in rows:
        assert label.ra_certificate is not None  # noqa: S101 - those alone are asked for
        is_new = label.ra_certificate.created_at > now - PATIENCE
        if not is_new and not ra_keys.certificates_of(label, now):
            words = (
                f"{label} answers no device: it has no valid RA certificate. See its last job, and "
                f"whether {label.issuer} signs."
            )
            yield label.ra_certificate.pk, words
