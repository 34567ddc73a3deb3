"""Certificates as a page about something else shows them: how many stand how, and what ends first.

However many there are: rows are counted up to `foundation.admin.parts.COUNTED`.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from certificates.admin.standing import COLOURS, badge_of
from certificates.models import Certificate, CertificateStatus
from foundation.admin.pages import link_to, link_to_list
from foundation.admin.parts import COUNTED, Badge, Fact, Facts, Section, Table
from foundation.admin.words import in_days

VIEW = "certificates.view_certificate"
SOONEST = 10  # certificates that end first
_SOON = 30  # days; the list of certificates has a chip for so many
LIVE = (
    CertificateStatus.ACTIVE,
    CertificateStatus.EXPIRING,
    CertificateStatus.RENEWAL_IN_PROGRESS,
)


def certificates_of(
    request: HttpRequest, rows: QuerySet[Certificate], **narrowed: Any
) -> Iterable[Section]:
    """Yield how many `rows` there are, by how they stand, and those that end first.

    `narrowed` is how the list of certificates is narrowed to the same ones. Three queries, for
    whoever may read certificates; nothing for anybody else.
    """
    if not request.user.has_perm(VIEW):
        return
    statuses = rows.order_by().values_list("status", flat=True)[: COUNTED + 1]
    counted = Counter(CertificateStatus(status) for status in statuses)
    is_more = counted.total() > COUNTED
    yield Facts("Certificates", _counts(request, counted, is_more=is_more, narrowed=narrowed))
    yield _soonest(request, rows, narrowed)


def _counts(
    request: HttpRequest,
    counted: Counter[CertificateStatus],
    *,
    is_more: bool,
    narrowed: dict[str, Any],
) -> list[Fact]:
    def figure(count: int) -> str:
        return f"{min(count, COUNTED):,}{'+' if is_more else ''}"

    def listed(count: int, **by: Any) -> Any:
        words = figure(count)
        return link_to_list(request, "certificates.certificate", words, **narrowed, **by) or words

    live = sum(counted[status] for status in LIVE)
    return [
        Fact("In use", listed(live, status__in=",".join(LIVE))),
        Fact("All", listed(counted.total())),
        *(
            Fact(
                str(status.label),
                [listed(counted[status], status=status.value), Badge(str(status.label), colour)],
            )
            for status, colour in COLOURS.items()
            if counted[status] and status != CertificateStatus.ACTIVE
        ),
    ]


def _soonest(request: HttpRequest, rows: QuerySet[Certificate], narrowed: dict[str, Any]) -> Table:
    now = timezone.now()
    first = (
        rows.filter(current__superseded_at__isnull=True, current__not_after__gt=now)
        .exclude(status__in=(CertificateStatus.REVOKED, CertificateStatus.ARCHIVED))
        .select_related("current", "owner")
        .order_by("current__not_after")[:SOONEST]
    )
    more = link_to_list(
        request,
        "certificates.certificate",
        f"All that end within {_SOON} days",
        **narrowed,
        ends=_SOON,
    )
    return Table(
        "What ends first",
        ("Certificate", "Status", "Ends", "When", "Owner"),
        [
            (
                link_to(request, one),
                badge_of(one),
                in_days(one.current.not_after, now) if one.current else None,
                one.current.not_after if one.current else None,
                link_to(request, one.owner),
            )
            for one in first
        ],
        empty="Nothing that is in use.",
        more=more,
    )
