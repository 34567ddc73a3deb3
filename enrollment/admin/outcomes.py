"""What became of enrollments, as pages show it: the last of a row, and the last few."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from enrollment import services
from enrollment.models import Enrollment
from enrollment.states import Stand

SHOWN = 20  # of the last ones, on a page
BADGES = {
    Stand.WAITING.value: "warning",
    Stand.ISSUED.value: "success",
    Stand.REFUSED.value: "danger",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One enrollment on a page."""

    enrollment: Enrollment
    stand: str
    badge: str
    reason: str


def line_of(enrollment: Enrollment) -> Line:
    """Return how an enrollment, with its job and version at hand, is shown."""
    stand, reason = services.standing(enrollment.job)
    return Line(enrollment, stand.value, BADGES[stand.value], reason)


def last_of(enrolled: QuerySet[Enrollment]) -> list[Line]:
    """Return the last of these, the newest first."""
    rows = Enrollment.objects.filter(pk__in=enrolled.values("pk")).with_outcome()
    return [line_of(row) for row in rows.order_by("-created_at", "pk")[:SHOWN]]


def with_last(rows: QuerySet[Any], by: str) -> QuerySet[Any]:
    """Fetch along the last enrollment of each row, which enrollments know as `by`.

    One query, whose subquery reads one entry of an index for each row.
    """
    newest = (
        Enrollment.objects.filter(**{by: OuterRef("pk")})
        .order_by("-created_at", "-pk")
        .values("pk")[:1]
    )
    every = rows.model._default_manager.annotate(newest=Subquery(newest)).values("newest")  # noqa: SLF001
    last = Enrollment.objects.filter(pk__in=every).select_related("job__version__revocation")
    return rows.prefetch_related(Prefetch("enrollments", queryset=last, to_attr="last_enrollments"))


def last_line(row: Any) -> Line | None:
    """Return the last enrollment of a row that `with_last` brought."""
    last: Sequence[Enrollment] = row.last_enrollments
    return line_of(last[0]) if last else None
