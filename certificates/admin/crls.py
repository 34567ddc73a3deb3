"""Signed CRLs in the admin: to read, and to have a new one signed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override
from unfold.admin import TabularInline

from certificates import crl
from certificates.models import CRL, CRLPart
from foundation.admin import ReadOnly
from owners.logins import actor_of


class Parts(TabularInline):
    """The shards and the delta that were published with a CRL, to read."""

    model = CRLPart
    fields = readonly_fields = ("scope", "base_number", "entries", "size", "etag")
    ordering = ("pk",)
    extra = max_num = 0
    can_delete = False
    verbose_name_plural = "shards and delta, under the same number and dates"

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[CRLPart]:
        return super().get_queryset(request).select_related("crl__issuer")

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # They are of the CRL, and public as it is.
        return request.user.has_perm("certificates.view_crl")

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CRL)
class CRLAdmin(ReadOnly):
    """Signed CRLs, to read, and to have a new one signed."""

    empty_words = (
        "Signed lists of what is revoked, which relying parties fetch. The first one is "
        "published with a CA."
    )
    empty_button = ("Make a CA", "issuers_issuer_add")

    list_display = ("issuer", "number", "this_update", "next_update", "entries", "etag")
    list_filter = ("issuer",)
    list_select_related = ("issuer",)
    inlines = (Parts,)
    actions = ("publish_now",)
    use_cases = {"publish_now": "crl.publish"}

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("certificates.publish_crl")

    @admin.action(description="Publish a new CRL now", permissions=["publish"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[CRL]) -> None:
        """Sign and store a new CRL of the issuers of the selected ones."""
        actor = actor_of(request)
        issuers = {row.issuer_id: row.issuer for row in queryset.select_related("issuer")}.values()
        for issuer, published in self.each(
            request,
            "publish_now",
            issuers,
            lambda issuer: crl.publish(issuer_id=issuer.pk, actor=actor),
        ):
            self.message_user(request, f"Published CRL {published.number} of {issuer}.")
