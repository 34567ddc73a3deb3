"""Enrollments in the admin: to read."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.decorators import display

from enrollment import services
from enrollment.admin.outcomes import BADGES
from enrollment.models import Enrollment
from enrollment.models.enrollments import EnrollmentQuerySet
from enrollment.states import Stand
from foundation.admin import ReadOnly
from foundation.admin.lists.chips import Choice


def _standing(rows: QuerySet[Any], stands: Sequence[str]) -> QuerySet[Any]:
    """Return those that stand so: each stand is a condition of its own."""
    enrollments = Enrollment.objects.all()
    any_of = Q()
    for stand in stands:
        any_of |= Q(pk__in=enrollments.standing(Stand(stand)).values("pk"))
    return rows.filter(any_of)


OUTCOMES = Choice("outcome", "Outcome", Stand.choices, by=_standing)


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnly):
    """What devices asked for, and what became of it."""

    empty_words = (
        "What devices asked for at the labels, and what became of it. It fills as they come."
    )

    list_display = (
        "device",
        "label",
        "outcome",
        "certificate",
        "show_job",
        "created_at",
        "collected_at",
    )
    list_display_links = ("device",)
    own_chips = (OUTCOMES,)
    list_filter = ("label", "created_at")
    linked = (
        "label__id__exact",
        "device__id__exact",
        "credential__id__exact",
        "certificate__id__exact",
    )
    search_fields = ("device__name", "certificate__name", "transaction")
    ordering = ("-created_at", "pk")
    fields = (
        ("outcome", "reason"),
        ("label", "device"),
        ("credential", "presented"),
        ("certificate", "show_job"),
        ("created_at", "collected_at"),
        ("transaction", "remote_address"),
        "show_key",
        "show_anchor",
    )
    readonly_fields = ("outcome", "reason", "show_job", "show_key", "show_anchor")

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        rows = super().get_queryset(request)
        assert isinstance(rows, EnrollmentQuerySet)  # noqa: S101 - the model's own
        return rows.with_outcome()

    @display(description="Outcome", label=BADGES)
    def outcome(self, enrollment: Enrollment) -> str:
        """Show what became of it as a badge."""
        return services.standing(enrollment.job)[0].value

    @display(description="Why", empty_value="-")
    def reason(self, enrollment: Enrollment) -> str:
        """Say why, as the device is told."""
        return services.standing(enrollment.job)[1]

    @display(description="Job")
    def show_job(self, enrollment: Enrollment) -> SafeString:
        """Link to the job that it became."""
        return format_html(
            '<a class="certctl-link" href="{}">{}</a>',
            reverse("admin:jobs_job_change", args=[enrollment.job_id]),
            enrollment.job.get_status_display(),
        )

    @display(description="Trust anchor", empty_value="-")
    def show_anchor(self, enrollment: Enrollment) -> SafeString | str:
        """Show which manufacturer's CA let the device in, as `show_key` does."""
        if not enrollment.anchor:
            return ""
        return format_html('<code class="decide-print">{}</code>', enrollment.anchor)

    @display(description="Key")
    def show_key(self, enrollment: Enrollment) -> SafeString:
        """Show the fingerprint so that it breaks where the page is narrow."""
        return format_html('<code class="decide-print">{}</code>', enrollment.key_fingerprint)
