"""What a plan would do, in numbers, before anybody does it."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from certificates import policy
from certificates.crl import entry_size
from certificates.models import CertificateStatus, Reason, Version
from certificates.services import Affected, affected
from deployments.models import Deployment
from foundation.clock import database_clock
from foundation.errors import FieldError
from issuers.models import Issuer
from owners.models import Owner
from revocation.policy import InvalidPlan
from revocation.services import criteria as criteria_

MOST = 250_000  # versions of one plan
SHOWN = 20  # names of anything
SHOWN_OWNERS = 500
_COLUMNS = (
    "pk",
    "certificate",
    "serial",
    "issuer",
    "short_lived",
    "superseded_at",
    "job_id",
    "device",
    "encrypted_key",
    "certificate__name",
    "certificate__owner",
    "certificate__status",
    "certificate__renewal_policy",
    "certificate__profile__is_ca",
    "certificate__issuer__enabled",
    "revocation",
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk revocation would do; `plan` names exactly this set of versions."""

    plan: str
    affected: list[Affected]
    owners: list[str]
    crl_growth_bytes: int
    dry_run: bool = field(default=True, init=False)

    @property
    def count(self) -> int:
        """How many versions would be revoked."""
        return len(self.affected)


def preview_revocation(*, criteria: Mapping[str, Any], reason: str = Reason.UNSPECIFIED) -> Preview:
    """Show which valid versions meet every criterion; raises InvalidCriteria, InvalidRevocation.

    Valid is unexpired and not revoked for good, superseded or not. Nothing is kept.
    """
    policy.check_reason(reason)
    rows = criteria_.valid(criteria_.matching(criteria), database_clock.now())
    hit = affected(criteria_.in_order(rows))
    sizes = rows.exclude(criteria_.on_hold()).values_list("serial", "issuer", "short_lived")
    return Preview(
        plan=digest_of(one.version for one in hit),
        affected=hit,
        owners=sorted({one.owner for one in hit}),
        crl_growth_bytes=sum(_growth(sizes, reason).values()),
    )


def digest_of(ids: Iterable[UUID]) -> str:
    """Return the hash that names a set of versions, in whatever order they come."""
    return hashlib.sha256(json.dumps(sorted(map(str, ids))).encode()).hexdigest()


def selected(criteria: Mapping[str, Any], now: datetime) -> list[UUID]:
    """Return the ids of the versions that are meant, in a plan's order; raises InvalidCriteria."""
    rows = criteria_.valid(criteria_.matching(criteria), now)
    return list(criteria_.in_order(rows).values_list("pk", flat=True)[: MOST + 1])


def facts(
    criteria: Mapping[str, Any], reason: str, now: datetime
) -> tuple[list[UUID], dict[str, Any]]:
    """Return the ids of the versions, in order, and what is to be known of them, as JSON.

    Raises InvalidCriteria, InvalidPlan where there are too many.
    """
    meant = criteria_.matching(criteria)
    rows = criteria_.valid(meant, now)
    found = [
        dict(zip(_COLUMNS, row, strict=True))
        for row in criteria_.in_order(rows).values_list(*_COLUMNS)[: MOST + 1]
    ]
    if len(found) > MOST:
        words = f"A plan has at most {MOST} versions: narrow the criteria."
        raise InvalidPlan(words, errors=[FieldError("criteria", "too_many", words)])
    # What is on hold is on its CRL already.
    grows = (one for one in found if one["revocation"] is None)
    sizes = _growth(((one["serial"], one["issuer"], one["short_lived"]) for one in grows), reason)
    authorities = _authorities(found)
    slugs = dict(Issuer.objects.filter(pk__in=sizes).values_list("pk", "slug"))
    bound = Deployment.objects.filter(certificate__in=rows.values("certificate"))
    targets = sorted(set(bound.values_list("target__name", flat=True)))
    counted = {
        "names": [one["certificate__name"] for one in found[:SHOWN]],
        "owners": _owners(Counter(one["certificate__owner"] for one in found)),
        "owners_count": len({one["certificate__owner"] for one in found}),
        "certificates": len({one["certificate"] for one in found}),
        "deployments": bound.count(),
        "targets_count": len(targets),
        "targets": targets[:SHOWN],
        "already_expired": meant.filter(criteria_.not_revoked(), not_after__lte=now).count(),
        "already_revoked": meant.filter(not_after__gt=now).exclude(criteria_.not_revoked()).count(),
        "on_hold": sum(one["revocation"] is not None for one in found),
        "superseded": sum(one["superseded_at"] is not None for one in found),
        "short_lived": sum(one["short_lived"] for one in found),
        "crl_growth_bytes": sum(sizes.values()),
        "crls": [{"issuer": slugs[pk], "bytes": size} for pk, size in sizes.items()],
        "authorities_count": len(authorities),
        "authorities": authorities[:SHOWN],
        "issued_elsewhere": sum(one["issuer"] is None for one in found),
        "irreplaceable": _irreplaceable(found),
    }
    return [one["pk"] for one in found], counted


def _growth(rows: Iterable[tuple[Any, ...]], reason: str) -> Counter[Any]:
    """Return by how many bytes each issuer's CRL grows, of rows of (serial, issuer, short)."""
    growth: Counter[Any] = Counter()
    answers: dict[Any, bool] = {None: False}
    has_reason = reason != Reason.UNSPECIFIED
    for serial, issuer, short_lived in rows:
        if issuer not in answers:
            answers[issuer] = Issuer.objects.get(pk=issuer).answers_for_revocation
        if answers[issuer] and not short_lived:
            growth[issuer] += entry_size(serial, has_reason=has_reason)
    return growth


def _owners(counts: Counter[Any]) -> list[dict[str, Any]]:
    rows = Owner.objects.in_bulk(list(counts))
    most = sorted(counts.items(), key=lambda one: (-one[1], rows[one[0]].name))
    return [
        {"name": rows[pk].name, "email": rows[pk].email, "count": count}
        for pk, count in most[:SHOWN_OWNERS]
    ]


def _authorities(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names of the CAs among them: each is revoked alone, never in bulk.

    A job of ours signs none under a subscriber's profile, so only what was brought is read.
    """
    brought = [
        one["pk"]
        for one in found
        if one["job_id"] is None and not one["certificate__profile__is_ca"]
    ]
    cas = set()
    for start in range(0, len(brought), 1000):
        part = Version.objects.filter(pk__in=brought[start : start + 1000])
        for version in part.select_related("certificate__profile").only(
            "pem", "certificate__profile__is_ca"
        ):
            if policy.is_ca(version):
                cas.add(version.pk)
    return [
        one["certificate__name"]
        for one in found
        if one["certificate__profile__is_ca"] or one["pk"] in cas
    ]


def _irreplaceable(found: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Count what certctl cannot replace by itself, and why: somebody has to do something."""
    why: Counter[str] = Counter()
    for one in found:
        if one["certificate__status"] == CertificateStatus.ARCHIVED:
            why["archived"] += 1
        elif one["device"]:
            why["enrolled_by_a_device"] += 1
        elif not one["certificate__issuer__enabled"]:
            why["issuer_disabled"] += 1
        elif one["certificate__renewal_policy"] is None:
            why["no_renewal_policy"] += 1
        elif one["encrypted_key"] is None:
            why["key_brought_from_outside"] += 1
    return dict(sorted(why.items()))


def difference(ids: Sequence[UUID], kept: Sequence[UUID]) -> tuple[list[str], list[str]]:
    """Return the names of what came to a set since it was kept, and of what left it."""
    added, removed = set(ids) - set(kept), set(kept) - set(ids)
    return _names(added), _names(removed)


def _names(ids: set[UUID]) -> list[str]:
    rows = Version.objects.filter(Q(pk__in=list(ids)[:1000])).select_related("certificate")
    names = [str(row) for row in rows.only("number", "certificate__name")]
    return sorted(names) + ["…"] * (len(ids) - len(names))
