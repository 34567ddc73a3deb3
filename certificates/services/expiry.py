"""The sweep that brings statuses up to the clock."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Coalesce

from audit.services import Entry, record_many
from certificates.models import Certificate, CertificateQuerySet, CertificateStatus
from certificates.policy import DEFAULT_WINDOW
from certificates.services.lifecycle import standing_of
from owners.models import Principal

BATCH = 200
# Statuses that follow the clock; the others wait for a job or a person. A failed renewal leaves
# for Expired alone, since that is worse.
_FOLLOW = (CertificateStatus.ACTIVE, CertificateStatus.EXPIRING, CertificateStatus.EXPIRED)


def update_expiry_statuses(*, now: datetime, actor: Principal) -> int:
    """Make Active, Expiring and Expired true again, in batches; return how many changed."""
    changed, last = 0, None
    while True:
        # By key, each batch in its own transaction, so that no lock is held for long.
        rows = _out_of_date(now).order_by("pk")
        page = list(
            (rows.filter(pk__gt=last) if last else rows).values_list("pk", flat=True)[:BATCH]
        )
        changed += _settle(page, now, actor) if page else 0
        if len(page) < BATCH:
            return changed
        last = page[-1]


def _out_of_date(now: datetime) -> CertificateQuerySet:
    horizon = ExpressionWrapper(
        Value(now, output_field=DateTimeField())
        + Coalesce(
            F("renewal_policy__window"), Value(DEFAULT_WINDOW), output_field=DurationField()
        ),
        output_field=DateTimeField(),
    )
    over = Q(current__not_after__lte=now)
    near = Q(current__not_after__gt=now, current__not_after__lte=horizon)
    far = Q(current__not_after__gt=now) & Q(current__not_after__gt=horizon)
    return Certificate.objects.filter(current__isnull=False).filter(
        Q(status=CertificateStatus.ACTIVE) & (over | near)
        | Q(status=CertificateStatus.EXPIRING) & (over | far)
        | Q(status=CertificateStatus.EXPIRED) & (near | far)
        | Q(status=CertificateStatus.FAILED) & over
    )


@transaction.atomic
def _settle(pks: list[UUID], now: datetime, actor: Principal) -> int:
    entries = []
    locked = Certificate.objects.select_for_update(no_key=True, skip_locked=True)
    # What somebody else holds is left to the next sweep.
    for certificate in locked.filter(pk__in=pks).order_by("pk"):
        before, after = certificate.status, standing_of(certificate, now)
        follows = before in _FOLLOW or (
            before == CertificateStatus.FAILED and after == CertificateStatus.EXPIRED
        )
        if not follows or before == after:
            continue
        data = {"changes": certificate.become(after)}
        entries.append(Entry(actor, "certificate.status", certificate, data))
    if entries:
        record_many(entries)
    return len(entries)
