"""Signed certificates in the admin: to read."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from certificates import policy, services
from certificates.admin import chips
from certificates.admin.files import Downloads
from certificates.admin.questions import (
    AFFECTED,
    CA_IS_REVOKED,
    IS_REVOKED,
    RevokeCaForm,
    RevokeForm,
)
from certificates.admin.serials import SearchesSerials
from certificates.models import Version
from foundation.admin import Question, ReadOnly
from foundation.admin.lists.chips import Chip
from owners.logins import actor_of


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
class VersionAdmin(Downloads, ReadOnly, SearchesSerials):
    """Signed certificates, to read, and to revoke each for itself."""

    list_display = ("certificate", "number", "serial", "issuer", "not_after", "show_state")
    own_chips: ClassVar[Sequence[Chip]] = chips.of_versions()
    list_filter = ("issuer", "key_algorithm", ("not_after", RangeDateTimeFilter))
    more_columns = ("fingerprint", "key_algorithm", "key_size", "subject", "not_before")
    list_select_related = ("certificate", "issuer", "revocation")
    search_fields = ("serial", "fingerprint", "key_fingerprint", "subject", "certificate__name")
    exclude = ("encrypted_key",)
    readonly_fields = ("device",)
    actions_detail: ClassVar = ("revoke_one",)
    use_cases = {"revoke_one": "certificate.revoke", **Downloads.downloading}

    @override
    def version_of(self, row: Any) -> Version | None:
        version: Version = row
        return version

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that revoking asks for."""
        return request.user.has_perm("certificates.revoke_certificate")

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        version = self.get_object(request, unquote(str(object_id)))
        is_revoked = version is None or hasattr(version, "revocation")
        return [] if is_revoked else super().get_actions_detail(request, object_id)

    @action(description="Revoke…", url_path="revoke", permissions=["revoke"])
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke this version, whether it is the one in use or one before."""
        version = self.row(request, object_id)
        is_ca = policy.is_ca(version)
        if is_ca and not policy.may_revoke_ca(actor_of(request)):
            raise PermissionDenied(f"This needs the permission {policy.REVOKE_CA}.")
        kind = "the CA's version" if is_ca else "version"
        question = Question(
            name="revoke_one",
            title=f"Revoke {kind} {version.number} of {version.certificate}",
            explanation=CA_IS_REVOKED if is_ca else IS_REVOKED,
            button="Revoke",
            form=RevokeCaForm if is_ca else RevokeForm,
            subject=version.certificate,
            details=AFFECTED,
            context={
                "rows": services.affected(Version.objects.filter(pk=version.pk)),
                "caption": "What will be revoked",
                "plan": str(version.pk),
            },
            back=self.row_page(version),
        )

        def revoke(given: dict[str, Any]) -> list[str]:
            services.revoke(version_id=version.pk, actor=actor_of(request), **given)
            return [f"Revoked version {version.number} of {version.certificate}."]

        return self.confirm(request, question, revoke)

    @display(
        description="State",
        label={"in use": "success", "superseded": "info", "revoked": "danger"},
    )
    def show_state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return state_of(version)
