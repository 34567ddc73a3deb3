"""Certificates as a page about something else shows them: how many stand how, and what ends first.

However many there are: rows are counted up to `foundation.admin.parts.COUNTED`.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from certificates.admin.standing import badge_of
from certificates.models import Certificate, CertificateStatus, RenewalPolicy
from foundation import durations
from foundation.admin.pages import adds_to, link_to, link_to_list
from foundation.admin.parts import COUNTED, Fact, Facts, Section, Table
from foundation.admin.words import in_days
from issuers.models import Profile
from owners.models import Owner, Team

VIEW = "certificates.view_certificate"
SOONEST = 10  # certificates that end first
_SOON = 30  # days; the list of certificates has a chip for so many
LIVE = (
    CertificateStatus.ACTIVE,
    CertificateStatus.EXPIRING,
    CertificateStatus.RENEWAL_IN_PROGRESS,
)


def certificates_of(
    request: HttpRequest,
    rows: QuerySet[Certificate],
    *,
    of_owner: bool = False,
    **narrowed: Any,
) -> Iterable[Section]:
    """Yield how many `rows` there are, by how they stand, and those that end first.

    `of_owner` says whose they are not by the owner, who is the same of all, but by the issuer;
    `narrowed` is how the list of certificates is narrowed to the same ones. Two queries, for
    whoever may read certificates; nothing for anybody else.
    """
    if not request.user.has_perm(VIEW):
        return
    statuses = rows.order_by().values_list("status", flat=True)[: COUNTED + 1]
    counted = Counter(CertificateStatus(status) for status in statuses)
    is_more = counted.total() > COUNTED
    counts = _counts(request, counted, is_more=is_more, narrowed=narrowed)
    yield Facts("Certificates", counts, is_wide=True)
    yield _soonest(request, rows, narrowed, by="issuer" if of_owner else "owner")


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
            Fact(str(status.label), listed(counted[status], status=status.value))
            for status in CertificateStatus
            if counted[status] and status != CertificateStatus.ACTIVE
        ),
    ]


def _soonest(
    request: HttpRequest, rows: QuerySet[Certificate], narrowed: dict[str, Any], *, by: str
) -> Table:
    now = timezone.now()
    first = (
        rows.filter(current__superseded_at__isnull=True, current__not_after__gt=now)
        .exclude(status__in=(CertificateStatus.REVOKED, CertificateStatus.ARCHIVED))
        .select_related("current", by)
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
        ("Certificate", "Status", "Ends", "When", by.capitalize()),
        [
            (
                link_to(request, one),
                badge_of(one),
                in_days(one.current.not_after, now) if one.current else None,
                one.current.not_after if one.current else None,
                link_to(request, getattr(one, by)),
            )
            for one in first
        ],
        empty="Nothing that is in use.",
        more=more if first else None,
    )


@adds_to("owners.owner")
def _of_owner(request: HttpRequest, row: Owner) -> Iterable[Section]:
    rows = Certificate.objects.filter(owner=row)
    yield from certificates_of(request, rows, of_owner=True, owner=row.pk)


@adds_to("owners.team")
def _of_team(request: HttpRequest, row: Team) -> Iterable[Section]:
    # As the list of certificates has it: those given to the team, and its owners'.
    rows = Certificate.objects.filter(Q(team=row) | Q(owner__team=row))
    yield from certificates_of(request, rows, team=row.pk)


@adds_to("issuers.profile")
def _of_profile(request: HttpRequest, row: Profile) -> Iterable[Section]:
    rows = Certificate.objects.filter(profile=row)
    yield from certificates_of(request, rows, profile=row.pk)
    if not request.user.has_perm("certificates.view_renewalpolicy"):
        return
    # Of the first so many, since nothing but the certificates says which policy is used here.
    used = rows.order_by().filter(renewal_policy__isnull=False)
    keys = used.values_list("renewal_policy", flat=True)[:COUNTED]
    policies = RenewalPolicy.objects.filter(pk__in=set(keys)).order_by("name")
    if policies:
        yield Table(
            "Renewal policies of its certificates",
            ("Policy", "Renews by itself", "Before the end"),
            [
                (link_to(request, one), one.auto_renew, durations.words(one.window))
                for one in policies
            ],
            empty="",
        )
