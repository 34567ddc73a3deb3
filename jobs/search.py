"""Finding jobs by id, and by the certificate that they are about."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from certificates import search as certificates
from foundation.hits import Hit, Rank, Sought
from jobs.models import Job

KEY_DIGITS = 32


def find(sought: Sought, limit: int, *, about: Collection[UUID]) -> list[Hit]:
    """Return at most `limit` jobs: by id, then the newest of the certificates `about`."""
    rows = Job.objects.select_related("certificate", "target").order_by("-created_at", "pk")
    by_id = list(rows.filter(_has_key(sought))[:limit]) if sought.keys else []
    is_whole = len(sought.digits) == KEY_DIGITS
    hits = [_hit(job, Rank.EXACT if is_whole else Rank.PREFIX) for job in by_id]
    if about and len(hits) < limit:
        rows = rows.filter(certificate__in=about)
        known = {job.pk for job in by_id}
        hits += [_hit(job, Rank.PART) for job in rows[:limit] if job.pk not in known]
    return hits[:limit]


def matching(rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
    """Return those of `rows`, jobs, whose id begins like this or whose certificate matches it."""
    sought = Sought.of(typed)
    if not sought.text:
        return rows
    meant = Q(certificate__in=certificates.matching_certificates(typed).values("pk"))
    # Only where there are some: an index serves either, and not both at once.
    if sought.keys and rows.model.objects.filter(_has_key(sought)).exists():
        meant |= _has_key(sought)
    return rows.filter(meant)


def _has_key(sought: Sought) -> Q:
    return Q(pk__range=sought.keys)


def _hit(job: Job, rank: Rank) -> Hit:
    words = [job.get_status_display(), f"{job.created_at:%d %b %Y %H:%M} UTC", str(job.pk)]
    return Hit("jobs.job", job.pk, str(job), " · ".join(words), rank)
