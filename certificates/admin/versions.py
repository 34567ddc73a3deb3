"""Signed certificates in the admin: to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from typing_extensions import override
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from certificates.admin.serials import SearchesSerials
from certificates.models import Version
from foundation.admin import ReadOnly
from issuers.x509.csr import has_challenge


def state_of(version: Version) -> str:
    """Say whether a version is in use, superseded or revoked."""
    if hasattr(version, "revocation"):
        return "revoked"
    return "superseded" if version.superseded_at else "in use"


class VersionInline(TabularInline):
    """The versions of a certificate, to read."""

    model = Version
    fields = ("number", "serial", "not_before", "not_after", "state", "key_algorithm")
    readonly_fields = fields
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True
    hide_title = True

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        return super().get_queryset(request).select_related("certificate", "revocation")

    @display(description="State")
    def state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return state_of(version)

    @override
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Version)
class VersionAdmin(ReadOnly, SearchesSerials):
    """Signed certificates, to read."""

    list_display = ("certificate", "number", "serial", "issuer", "not_after", "show_state")
    list_filter = ("issuer", "key_algorithm", ("not_after", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("certificate", "issuer", "revocation")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("serial", "fingerprint", "key_fingerprint", "subject", "certificate__name")
    exclude = ("encrypted_key",)

    @override
    def get_exclude(self, request: HttpRequest, obj: Version | None = None) -> tuple[str, ...]:
        # A device's challenge lies in its request, and other devices may share it.
        hides = obj is not None and has_challenge(obj.csr_pem)
        return (*self.exclude, "csr_pem") if hides else self.exclude

    @display(
        description="State",
        label={"in use": "success", "superseded": "info", "revoked": "danger"},
    )
    def show_state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return state_of(version)
