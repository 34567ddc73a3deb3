"""Certificates in the admin: to read, to reassign, to revoke, to put away."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from typing_extensions import override
from unfold.decorators import action, display

from certificates import policy, search, services
from certificates.admin import chips
from certificates.admin.about import CertificatePage
from certificates.admin.bulk import InBulk
from certificates.admin.files import ShowsFiles
from certificates.admin.imports import Imports
from certificates.admin.questions import NoteForm
from certificates.admin.revoking import Revokes
from certificates.admin.standing import COLOURS
from certificates.details import EDITABLE
from certificates.models import Certificate, CertificateStatus, Reason, Version
from foundation.admin import Question, Saves
from foundation.admin.lists.chips import Chip
from foundation.admin.refusals import chosen_rows
from foundation.errors import MissingPermission, NotFound
from foundation.forms import LinesField
from owners.logins import actor_of


class CertificateForm(forms.ModelForm[Certificate]):
    """What people may change about a certificate, its tags one a line."""

    tags = LinesField(help_text="One a line.")

    class Meta:
        model = Certificate
        fields = EDITABLE


@admin.register(Certificate)
class CertificateAdmin(CertificatePage, Revokes, InBulk, ShowsFiles, Imports, Saves):
    """Names under management: to read, to reassign, to revoke."""

    empty_words = (
        "A certificate is a name under management: asked for, agreed to, signed, put in "
        "place and renewed from here."
    )
    empty_button = ("Request a certificate", "certificates_certificate_add")

    form = CertificateForm
    list_display = ("name", "show_status", "expires", "owner", "issuer", "profile", "environment")
    more_columns = (
        "team",
        "renewal_policy",
        "show_tags",
        "common_name",
        "created_at",
        "updated_at",
    )
    own_chips: ClassVar[Sequence[Chip]] = chips.of_certificates()
    linked = (
        "status__in",
        "current__not_after__gte",
        "current__not_after__lt",
        "current__short_lived__exact",
    )
    list_select_related = ("owner", "team", "issuer", "profile", "renewal_policy", "current")
    search_fields = ("name",)  # that there is a box; certificates.search says what it finds
    search_help_text = "Names and parts of them, owners, serials and fingerprints in any notation."
    autocomplete_fields = ("owner", "team", "renewal_policy")
    fields = ("name", ("owner", "team"), "renewal_policy", ("environment", "tags"))
    actions: tuple[str, ...] = (*InBulk.actions, "revoke_selected")
    actions_list = ("import_files",)
    actions_detail: ClassVar[tuple[str, ...]] = ("revoke_one", "release_hold", "archive")
    use_cases = {
        "change": "certificate.update",
        "revoke_one": "certificate.revoke",
        "revoke_selected": "certificate.bulk_revoke",
        "release_hold": "certificate.release_hold",
        "archive": "certificate.archive",
        **Imports.importing,
        **InBulk.in_bulk,
    }

    @display(description="Status", ordering="status", label=COLOURS)
    def show_status(self, certificate: Certificate) -> tuple[str, str]:
        """Show the status as a badge."""
        return certificate.status, certificate.get_status_display()

    @display(description="Expires", ordering="ends_at", empty_value="-")
    def expires(self, certificate: Certificate) -> Any:
        """Show when the current version ends."""
        return certificate.ends_at

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return search.matching(queryset, search_term), False

    @display(description="Tags", empty_value="-")
    def show_tags(self, certificate: Certificate) -> str:
        """Show the tags on a line."""
        return ", ".join(certificate.tags)

    @override
    def version_of(self, row: Any) -> Version | None:
        current: Version | None = row.current
        return current

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # certificates are requested as jobs, or imported

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # certificates are archived

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that the revoking actions ask for."""
        return request.user.has_perm("certificates.revoke_certificate")

    def has_archive_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that archiving asks for."""
        return request.user.has_perm("certificates.archive_certificate")

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return services.update_details(certificate_id=row.pk, actor=actor_of(request), changes=data)

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        offered: list[Any] = super().get_actions_detail(request, object_id)
        certificate = self.get_object(request, str(object_id))
        if certificate is None:
            return []
        current, allowed = certificate.current, set()
        revocation = getattr(current, "revocation", None)
        reason = revocation.reason if revocation else None
        # Any reason may still be corrected to keyCompromise.
        actor = actor_of(request)
        may = current is not None and (policy.may_revoke_ca(actor) or not policy.is_ca(current))
        if may and reason != Reason.KEY_COMPROMISE:
            allowed.add("revoke")
        if may and reason == Reason.CERTIFICATE_HOLD:
            allowed.add("release-hold")
        if current is None or reason or current.not_after <= timezone.now():
            allowed.add("archive")
        if certificate.status == CertificateStatus.ARCHIVED:
            allowed = set()
        allowed |= self.offered_besides(request, certificate)
        return [button for button in offered if button.path in allowed]

    def offered_besides(self, request: HttpRequest, certificate: Certificate) -> set[str]:
        """Return the paths of the further pages that the state of the certificate allows."""
        return set()

    @override
    def use_case_of(self, request: HttpRequest, name: str) -> str:
        if name == "revoke_selected" and len(chosen_rows(request)) == 1:
            name = "revoke_one"  # chosen on the list, and no bulk all the same
        return super().use_case_of(request, name)

    # --- Revoke, release, archive: each asks first -------------------------------------------

    @admin.action(description="Revoke…", permissions=["revoke"])
    def revoke_selected(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Show what would be revoked, then revoke it; more than one needs bulk_revoke."""
        chosen = self.chosen_of(request, queryset.select_related("current"))
        if chosen is None:
            return None
        if len(chosen) == 1:
            return self._revoke(request, chosen[0], action="revoke_selected", selected=chosen)
        if not request.user.has_perm("certificates.bulk_revoke"):
            raise MissingPermission("This needs the permission certificates.bulk_revoke.")
        return self.ask_for_many(request, chosen)

    @action(description="Revoke…", url_path="revoke", permissions=["revoke"])
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke the current version."""
        return self._revoke(request, self.row(request, object_id))

    @action(description="Release hold…", url_path="release-hold", permissions=["revoke"])
    def release_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a certificateHold back."""
        certificate = self.row(request, object_id)
        question = Question(
            name="release_hold",
            title=f"Release the hold on {certificate}",
            explanation="Relying parties will accept this certificate again.",
            button="Release",
            is_calm=True,
            form=NoteForm,
            subject=certificate,
            back=self.row_page(certificate),
        )

        def release(given: dict[str, Any]) -> list[str]:
            version = _current(certificate)
            services.release_hold(
                version_id=version.pk, actor=actor_of(request), note=given["note"]
            )
            return [f"{certificate} is no longer on hold."]

        return self.confirm(request, question, release)

    @action(description="Archive…", url_path="archive", permissions=["archive"])
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put the certificate away."""
        certificate = self.row(request, object_id)
        question = Question(
            name="archive",
            title=f"Archive {certificate}",
            explanation="It leaves the working lists for good; its history stays.",
            button="Archive",
            subject=certificate,
            back=self.row_page(certificate),
        )

        def put_away(_: dict[str, Any]) -> list[str]:
            services.archive(certificate_id=certificate.pk, actor=actor_of(request))
            return [f"Archived {certificate}."]

        return self.confirm(request, question, put_away)

    def _revoke(
        self, request: HttpRequest, certificate: Certificate, **chosen: Any
    ) -> HttpResponse:
        return self.ask_to_revoke(
            request,
            _current(certificate),
            name=str(certificate),
            back=self.row_page(certificate),
            **chosen,
        )

    def ask_for_many(self, request: HttpRequest, chosen: Sequence[Certificate]) -> HttpResponse:
        """Show what would be revoked of many, then revoke it: `revocation.admin` says how."""
        raise NotImplementedError


def _current(certificate: Certificate) -> Version:
    if certificate.current is None:
        raise NotFound("Nothing has been issued for this certificate yet.")
    return certificate.current
