"""What became of a plan, version by version, and in sum: for people, programs and spreadsheets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Count

from foundation.tables import disarmed, line
from revocation.models import Item, ItemQuerySet, Plan


@dataclass(frozen=True, slots=True)
class Line:
    """One version of a plan: whose it is, what became of it, and how its replacement stands."""

    name: str
    serial: str
    issuer: str
    not_after: datetime
    owner: str
    owner_email: str
    team: str
    outcome: str
    code: str
    detail: str
    at: datetime | None
    wave: int | None
    drill: bool
    replacement: str
    replacement_detail: str
    replacement_job: str
    version: str
    certificate: str


HEADING = tuple(field.name for field in fields(Line))


def items_of(plan: Plan) -> ItemQuerySet:
    """Return the versions of a plan with all that a line says of them, in the plan's order."""
    rows = Item.objects.filter(plan=plan).order_by("position")
    return rows.select_related(
        "version__certificate__owner",
        "version__certificate__team",
        "version__issuer",
        "replacement_job",
    ).defer(
        "version__pem", "version__chain_pem", "version__csr_pem", "version__encrypted_key",
        "replacement_job__csr_pem", "replacement_job__encrypted_key",
    )  # fmt: skip


def lines(plan: Plan, items: Iterable[Item]) -> Iterator[Line]:
    """Return a line for each of `items`, which are the plan's, as `items_of` gives them."""
    for item in items:
        version, job = item.version, item.replacement_job
        certificate = version.certificate
        yield Line(
            name=certificate.name,
            serial=version.serial,
            issuer=version.issuer.slug if version.issuer else "",
            not_after=version.not_after,
            owner=certificate.owner.name,
            owner_email=certificate.owner.email,
            team=certificate.team.name if certificate.team else "",
            outcome=item.outcome,
            code=item.code,
            detail=item.detail,
            at=item.at,
            wave=item.wave,
            drill=plan.drill,
            replacement=item.replacement,
            replacement_detail=item.replacement_detail,
            replacement_job=job.status if job is not None else "",
            version=str(version.pk),
            certificate=str(certificate.pk),
        )


def to_csv(plan: Plan) -> Iterator[str]:
    """Return the report as CSV, line by line; a spreadsheet runs none of it."""
    yield line(HEADING)
    for one in lines(plan, items_of(plan).iterator(chunk_size=2000)):
        yield line([disarmed(_text(getattr(one, name))) for name in HEADING])


def summary(plan: Plan) -> dict[str, Any]:
    """Return how many versions have which outcome and code, and which state of replacement."""
    items = Item.objects.filter(plan=plan).order_by()
    outcomes = items.values_list("outcome", "code").annotate(count=Count("pk"))
    states = items.exclude(replacement="").values_list("replacement").annotate(count=Count("pk"))
    return {
        "outcomes": [
            {"outcome": outcome or "pending", "code": code, "count": count}
            for outcome, code, count in sorted(outcomes)
        ],
        "replacements": dict(sorted(states)),
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
