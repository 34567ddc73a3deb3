"""Alerts in the admin: to read, and to acknowledge."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from typing_extensions import override
from unfold.decorators import display

from certificates import services
from certificates.models import Alert
from foundation.admin import ReadOnly
from owners.logins import actor_of


@admin.register(Alert)
class AlertAdmin(ReadOnly):
    """What somebody has to look at."""

    empty_words = (
        "What somebody has to look at: certificates that end, CRLs that are late. Nothing is "
        "the good news."
    )

    list_display = ("kind", "show_subject", "detail", "since", "acknowledged_by", "cleared_at")
    list_filter = ("kind",)
    linked = ("cleared_at__isnull",)
    list_select_related = ("certificate", "issuer", "acknowledged_by")
    search_fields = ("certificate__name", "detail")
    actions = ("acknowledge",)
    use_cases: ClassVar = {"acknowledge": "alert.acknowledge"}

    @display(description="About")
    def show_subject(self, alert: Alert) -> Any:
        """Name what it is about."""
        return alert.certificate or alert.issuer

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        # What is open stands first.
        return (
            super()
            .get_queryset(request)
            .order_by(F("cleared_at").desc(nulls_first=True), "-since", "pk")
        )

    def has_acknowledge_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("certificates.acknowledge_alert")

    @admin.action(description="Acknowledge", permissions=["acknowledge"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Say of the selected ones that somebody knows of them."""
        actor = actor_of(request)
        done = self.each(
            request,
            "acknowledge",
            queryset,
            lambda alert: services.acknowledge_alert(alert_id=alert.pk, actor=actor),
        )
        self.message_user(request, f"Acknowledged {len(done)}.")
