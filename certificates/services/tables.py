"""A list of certificates as a table for a spreadsheet."""

from typing import Any

from django.db.models import QuerySet

from audit.services import record
from audit.use_cases import use_case
from certificates.models import Certificate
from foundation.errors import TooLarge
from foundation.tables import disarmed, line
from owners.models import Principal

MOST_EXPORTED = 10_000  # rows
COLUMNS = {
    "name": "name",
    "common_name": "common_name",
    "names": "sans",
    "status": "status",
    "owner": "owner__name",
    "team": "team__name",
    "issuer": "issuer__slug",
    "profile": "profile__slug",
    "renewal_policy": "renewal_policy__name",
    "environment": "environment",
    "tags": "tags",
    "version": "current__number",
    "serial": "current__serial",
    "not_before": "current__not_before",
    "not_after": "current__not_after",
    "fingerprint": "current__fingerprint",
    "id": "pk",
}


@use_case("certificate.export_list")
def export_list(*, actor: Principal, rows: QuerySet[Certificate]) -> str:
    """Return certificates as CSV, in their order, and record how many were taken.

    A spreadsheet runs none of it. Raises TooLarge for more than MOST_EXPORTED.
    """
    plain = rows.select_related(None).values_list(*COLUMNS.values())
    some = list(plain[: MOST_EXPORTED + 1])
    if len(some) > MOST_EXPORTED:
        raise TooLarge(f"These are more than {MOST_EXPORTED:,} certificates: narrow the list.")
    record(actor=actor, action="certificate.export_list", subject=None, count=len(some))
    lines = (line([disarmed(_text(value)) for value in row]) for row in some)
    return "".join([line(COLUMNS), *lines])


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return value.isoformat() if hasattr(value, "isoformat") else value
