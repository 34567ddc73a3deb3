"""What jobs have in common with what there is already, read for many of them together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields import TextField
from django.utils import timezone

from certificates.models import CertificateName, CertificateStatus, Version, parents_of
from certificates.search import Parent
from jobs.approvals.warnings import names_of
from jobs.models import Job
from jobs.risks.usual import in_parts, union
from jobs.states import Status
from owners.models import Principal

# The kinds that sign, as an index has them.
SIGNING = (Job.Kind.ISSUANCE, Job.Kind.RENEWAL)
# Whose certificates count as another's, and under which domain.
Where: TypeAlias = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A domain under which another owner has a live certificate, and how many more there are."""

    domain: str
    owner: str
    certificate: str
    more: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen elsewhere, by job or certificate; what is not there is in neither."""

    same_key: Mapping[UUID, str]  # by job: the name of another certificate, live, with its key
    asked: Mapping[UUID, tuple[str, int]]  # by certificate: the first name, and how many
    foreign: Mapping[UUID, Sequence[Foreign]]  # by certificate
    first_timers: frozenset[UUID]  # requesters for whom nothing was ever issued


def seen_of(jobs: Sequence[Job]) -> Seen:
    """Return what is elsewhere of `jobs`: five queries, and one per further hundred domains."""
    certificates = {job.certificate_id: job.certificate.owner_id for job in jobs}
    return Seen(
        same_key=_same_key([job.pk for job in jobs]),
        asked=_asked([*certificates]),
        foreign=_foreign(certificates),
        first_timers=_first_timers({job.requested_by_id for job in jobs}),
    )


def is_live(path: str = "") -> Q:
    """Return which versions relying parties accept, or which rows lead to one over `path`."""
    return (
        Q(**{f"{path}not_after__gt": timezone.now(), f"{path}revocation__isnull": True})
        & Q(**{f"{path}superseded_at__isnull": True})
        & ~Q(**{f"{path}certificate__status": CertificateStatus.ARCHIVED})
    )


def _same_key(ids: Sequence[UUID]) -> dict[UUID, str]:
    others = (
        Version.objects.filter(key_fingerprint=OuterRef("key_fingerprint"))
        .filter(is_live())
        .exclude(certificate=OuterRef("certificate"))
        .order_by("certificate__name")
    )
    rows = Job.objects.filter(pk__in=ids).exclude(key_fingerprint="")
    named = rows.annotate(other=Subquery(others.values("certificate__name")[:1]))
    return dict(named.filter(other__isnull=False).values_list("pk", "other").order_by())


def _asked(ids: Sequence[UUID]) -> dict[UUID, tuple[str, int]]:
    others = (
        CertificateName.objects.filter(value=OuterRef("value"))
        .exclude(certificate=OuterRef("certificate"))
        .filter(Exists(_open_requests()))
    )
    return names_of(ids, others)


def _open_requests() -> QuerySet[Job]:
    return Job.objects.open().filter(certificate=OuterRef("certificate"), kind__in=SIGNING)


def _first_timers(ids: set[UUID]) -> frozenset[UUID]:
    issued = Job.objects.filter(
        requested_by=OuterRef("pk"), kind__in=SIGNING, status=Status.COMPLETED
    )
    people = Principal.objects.filter(~Exists(issued), pk__in=ids)
    return frozenset(people.exclude(kind=Principal.Kind.SYSTEM).values_list("pk", flat=True))


def _foreign(owners: Mapping[UUID, UUID]) -> dict[UUID, list[Foreign]]:
    """Return by certificate the domains above its names, of two labels or more, that others use.

    Used is one that another owner has a live certificate for, or for a name right under it. The
    domains are asked for one by one, in one statement: each look ends at the first in an index.
    """
    domains: defaultdict[UUID, dict[str, None]] = defaultdict(dict)
    names = CertificateName.objects.filter(certificate__in=owners, value__startswith="dns:")
    for certificate, value in names.values_list("certificate", "value").order_by("pk"):
        domains[certificate].update(dict.fromkeys(parents_of(value)))
    pairs = sorted({(one, owners[pk]) for pk, some in domains.items() for one in some})
    used: dict[Where, tuple[str, str]] = {}
    for some in in_parts(pairs):
        for row in union([_used(*pair) for pair in some]):
            used[row["domain"], UUID(row["mine"])] = (row["whose"], row["named"])
    return {pk: flag for pk, some in domains.items() if (flag := _nearest(owners[pk], some, used))}


def _nearest(
    owner: UUID, domains: Mapping[str, None], used: Mapping[Where, tuple[str, str]]
) -> list[Foreign]:
    some = [one for one in domains if (one, owner) in used]
    if not some:
        return []
    nearest = max(some, key=lambda one: one.count("."))
    whose, named = used[nearest, owner]
    return [Foreign(nearest, whose, named, len(some) - 1)]


def _used(domain: str, owner: UUID) -> QuerySet[Any, Any]:
    """Return a row where another owner than `owner` has a live certificate under `domain`."""
    under = (
        CertificateName.objects.alias(parent=Parent())
        .filter(Q(parent=domain) | Q(value=f"dns:{domain}"[:255]), value__startswith="dns:")
        .filter(is_live("certificate__current__"))
        .exclude(certificate__owner=owner)
    )
    return (
        CertificateName.objects.filter(pk__in=under.order_by().values("pk")[:1])
        .order_by()
        .values(
            domain=Value(domain, TextField()),
            mine=Value(str(owner), TextField()),
            whose=F("certificate__owner__name"),
            named=F("certificate__name"),
        )
    )
