"""Certificates and what belongs to them in the admin; every change goes through the services."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import action, display

from audit.use_cases import record_edge_refusal
from certificates import crl, services
from certificates.models import (
    CRL,
    Certificate,
    CertificateStatus,
    OCSPResponse,
    Reason,
    RenewalPolicy,
    Revocation,
    Version,
)
from foundation.errors import CertctlError, NotPermitted
from foundation.forms import LinesField
from issuers.admin import IssuerAdmin
from issuers.models import Issuer
from issuers.services import NewCA
from owners.admin import Saves
from owners.logins import actor_of

STATUS_COLOURS = {
    CertificateStatus.PENDING: "info",
    CertificateStatus.ACTIVE: "success",
    CertificateStatus.EXPIRING: "warning",
    CertificateStatus.EXPIRED: "danger",
    CertificateStatus.RENEWAL_IN_PROGRESS: "info",
    CertificateStatus.FAILED: "danger",
    CertificateStatus.REVOKED: "danger",
    CertificateStatus.ARCHIVED: "default",
}
NOTE_MAX = 2000
NOTHING_ISSUED = "Nothing has been issued for this certificate yet."


class MissingPermission(NotPermitted):
    """The same words as the API's."""

    code = "missing_permission"


class ReadOnly(ModelAdmin):
    """Rows that the machine writes: nobody adds, edits or deletes them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Services write these."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes them."""
        return False


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        """Fetch the revocations with the versions."""
        return super().get_queryset(request).select_related("certificate", "revocation")

    @display(description="State")
    def state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return _state(version)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions come from issuers."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Versions are what they were signed as."""
        return False


class CertificateForm(forms.ModelForm[Certificate]):
    """What people may change about a certificate, its tags one a line."""

    tags = LinesField(help_text="One a line.")

    class Meta:
        model = Certificate
        fields = ("name", "owner", "team", "renewal_policy", "environment", "tags")


@admin.register(Certificate)
class CertificateAdmin(Saves):
    """Names under management: to read, to reassign, to revoke."""

    form = CertificateForm
    list_display = ("name", "show_status", "expires", "owner", "issuer", "profile", "environment")
    list_filter = (
        "status",
        "issuer",
        "profile",
        "environment",
        ("current__not_after", RangeDateTimeFilter),
    )
    list_filter_submit = True
    list_select_related = ("owner", "issuer", "profile", "current")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "common_name", "sans", "owner__name")
    autocomplete_fields = ("owner", "team", "renewal_policy")
    fields = (
        "name",
        "status_words",
        ("common_name", "show_names"),
        ("owner", "team"),
        ("issuer", "profile"),
        "renewal_policy",
        ("environment", "tags"),
        "jobs",
        ("created_at", "updated_at"),
    )
    readonly_fields = (
        "status_words",
        "common_name",
        "show_names",
        "issuer",
        "profile",
        "jobs",
        "created_at",
        "updated_at",
    )
    inlines = (VersionInline,)
    actions = ("revoke_selected",)
    actions_detail: ClassVar = ("revoke_one", "release_hold", "archive")

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def show_status(self, certificate: Certificate) -> tuple[str, str]:
        """Show the status as a badge."""
        return certificate.status, certificate.get_status_display()

    @display(description="Status")
    def status_words(self, certificate: Certificate) -> str:
        """Show the status on the certificate's own page, which knows no badges."""
        return certificate.get_status_display()

    @display(description="Subject alternative names", empty_value="-")
    def show_names(self, certificate: Certificate) -> SafeString:
        """Show each name on a line of its own."""
        return format_html_join(mark_safe("<br>"), "{}", ((name,) for name in certificate.sans))

    @display(description="Expires", ordering="current__not_after", empty_value="-")
    def expires(self, certificate: Certificate) -> Any:
        """Show when the current version ends."""
        return certificate.current.not_after if certificate.current else None

    @display(description="Jobs")
    def jobs(self, certificate: Certificate) -> SafeString | str:
        """Link to the jobs of this certificate."""
        try:
            url = reverse("admin:jobs_job_changelist")
        except NoReverseMatch:
            return "-"
        return format_html(
            '<a class="certctl-link" href="{}?certificate__id__exact={}">All its jobs</a>',
            url,
            certificate.pk,
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Certificates are requested as jobs, or imported."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Certificates are archived."""
        return False

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that the revoking actions ask for."""
        return request.user.has_perm("certificates.revoke_certificate")

    def has_archive_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that archiving asks for."""
        return request.user.has_perm("certificates.archive_certificate")

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> str:
        """Say nothing: the audit trail is the log, and the versions' formset is never saved."""
        return ""

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Change the details through the service."""
        return services.update_details(certificate_id=row.pk, actor=actor_of(request), changes=data)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what the certificate's state allows."""
        offered: list[Any] = super().get_actions_detail(request, object_id)
        certificate = self.get_object(request, str(object_id))
        if certificate is None or certificate.status == CertificateStatus.ARCHIVED:
            return []
        current, allowed = certificate.current, set()
        revocation = getattr(current, "revocation", None)
        reason = revocation.reason if revocation else None
        # Any reason may still be corrected to keyCompromise.
        if current is not None and reason != Reason.KEY_COMPROMISE:
            allowed.add("revoke")
        if reason == Reason.CERTIFICATE_HOLD:
            allowed.add("release-hold")
        if current is None or reason or current.not_after <= timezone.now():
            allowed.add("archive")
        return [button for button in offered if button.path in allowed]

    @admin.action(description="Revoke…", permissions=["revoke"])
    def revoke_selected(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Show what would be revoked, then revoke it; more than one needs bulk_revoke."""
        chosen = list(queryset.select_related("current"))
        if len(chosen) == 1:
            return self._revoke(request, chosen[0], action_name="revoke_selected")
        if not request.user.has_perm("certificates.bulk_revoke"):
            error = MissingPermission("This needs the permission certificates.bulk_revoke.")
            self._refuse(request, "certificate.bulk_revoke", error)
            return None
        return self._bulk(request, chosen)

    @action(description="Revoke…", url_path="revoke", permissions=["revoke"])
    def revoke_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke the current version."""
        return self._on_one(request, object_id, self._revoke)

    @action(description="Release hold…", url_path="release-hold", permissions=["revoke"])
    def release_hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a certificateHold back."""
        return self._on_one(request, object_id, self._release)

    @action(description="Archive…", url_path="archive", permissions=["archive"])
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put the certificate away."""
        return self._on_one(request, object_id, self._archive)

    def _on_one(
        self,
        request: HttpRequest,
        object_id: str,
        step: Callable[[HttpRequest, Certificate], HttpResponse | None],
    ) -> HttpResponse:
        page = reverse("admin:certificates_certificate_change", args=[object_id])
        certificate = self.get_object(request, object_id)
        if certificate is None:
            return HttpResponseRedirect(reverse("admin:certificates_certificate_changelist"))
        return step(request, certificate) or HttpResponseRedirect(page)

    def _revoke(
        self, request: HttpRequest, certificate: Certificate, *, action_name: str = ""
    ) -> HttpResponse | None:
        version = certificate.current
        if version is None:
            self.message_user(request, NOTHING_ISSUED, messages.ERROR)
            return None
        if not _confirmed(request):
            ids = [str(version.pk)]
            preview = services.preview_revocation(criteria={"ids": ids})
            return self._page(
                request,
                title=f"Revoke {certificate}",
                explanation="Relying parties will refuse this certificate. Except for a hold, "
                "this cannot be taken back.",
                rows=preview.affected,
                caption="What will be revoked",
                selected=[certificate.pk] if action_name else [],
                action_name=action_name,
                plan=str(version.pk),
                reasons=Reason.choices,
                button="Revoke",
            )
        if request.POST.get("plan", str(version.pk)) != str(version.pk):
            # Renewed since the page was shown: what would be revoked is not what was looked at.
            self._refuse(request, "certificate.revoke", services.PlanChanged(), certificate)
            return None
        self._do(
            request,
            "certificate.revoke",
            certificate,
            f"Revoked {certificate}.",
            lambda: services.revoke(
                version_id=version.pk,
                actor=actor_of(request),
                reason=request.POST.get("reason", Reason.UNSPECIFIED),
                note=request.POST.get("note", "")[:NOTE_MAX],
            ),
        )
        return None

    def _release(self, request: HttpRequest, certificate: Certificate) -> HttpResponse | None:
        version = certificate.current
        if version is None:
            self.message_user(request, NOTHING_ISSUED, messages.ERROR)
            return None
        if not _confirmed(request):
            return self._page(
                request,
                title=f"Release the hold on {certificate}",
                explanation="Relying parties will accept this certificate again.",
                button="Release",
                calm=True,
            )
        self._do(
            request,
            "certificate.release_hold",
            certificate,
            f"{certificate} is no longer on hold.",
            lambda: services.release_hold(
                version_id=version.pk,
                actor=actor_of(request),
                note=request.POST.get("note", "")[:NOTE_MAX],
            ),
        )
        return None

    def _archive(self, request: HttpRequest, certificate: Certificate) -> HttpResponse | None:
        if not _confirmed(request):
            return self._page(
                request,
                title=f"Archive {certificate}",
                explanation="It leaves the working lists for good; its history stays.",
                button="Archive",
                wants_note=False,
            )
        self._do(
            request,
            "certificate.archive",
            certificate,
            f"Archived {certificate}.",
            lambda: services.archive(certificate_id=certificate.pk, actor=actor_of(request)),
        )
        return None

    def _bulk(self, request: HttpRequest, chosen: list[Certificate]) -> HttpResponse | None:
        criteria = {"ids": [str(certificate.pk) for certificate in chosen]}
        actor = actor_of(request)
        reason = request.POST.get("reason", Reason.UNSPECIFIED)
        note = request.POST.get("note", "")[:NOTE_MAX]
        if not _confirmed(request):
            preview = services.preview_revocation(criteria=criteria)
            return self._page(
                request,
                title=f"Revoke {preview.count} versions",
                explanation=f"{len(preview.owners)} owner(s) are concerned, and CRLs grow by about "
                f"{preview.crl_growth_bytes} bytes. Except for holds, this cannot be taken back.",
                rows=preview.affected,
                caption="What will be revoked: every valid version of the chosen certificates",
                selected=[certificate.pk for certificate in chosen],
                action_name="revoke_selected",
                plan=preview.plan,
                reasons=Reason.choices,
                button=f"Revoke {preview.count} versions",
            )
        try:
            result = services.bulk_revoke(
                criteria=criteria,
                actor=actor,
                reason=reason,
                note=note,
                plan=request.POST.get("plan", ""),
            )
        except CertctlError as error:
            self._refuse(request, "certificate.bulk_revoke", error)
            return None
        failed = [f"{one.name}: {one.detail}" for one in result.outcomes if one.outcome == "failed"]
        self.message_user(request, f"Revoked {result.count('revoked')} version(s).")
        for line in failed:
            self.message_user(request, line, messages.ERROR)
        return None

    def _do(
        self,
        request: HttpRequest,
        what: str,
        certificate: Certificate,
        done: str,
        service: Callable[[], object],
    ) -> None:
        try:
            service()
        except CertctlError as error:
            self._refuse(request, what, error, certificate)
        else:
            self.message_user(request, done, messages.SUCCESS)

    def _refuse(
        self, request: HttpRequest, what: str, error: CertctlError, subject: Model | None = None
    ) -> None:
        record_edge_refusal(actor=actor_of(request), action=what, error=error, subject=subject)
        self.message_user(request, error.detail, messages.ERROR)

    def _page(self, request: HttpRequest, **context: Any) -> TemplateResponse:
        return TemplateResponse(
            request,
            "admin/certificates/certificate/confirm.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "reason": Reason.UNSPECIFIED.value,
                "wants_note": True,
                "back": reverse("admin:certificates_certificate_changelist"),
                **context,
            },
        )


@admin.register(Version)
class VersionAdmin(ReadOnly):
    """Signed certificates, to read."""

    list_display = ("certificate", "number", "serial", "issuer", "not_after", "show_state")
    list_filter = ("issuer", "key_algorithm", ("not_after", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("certificate", "issuer", "revocation")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("serial", "fingerprint", "key_fingerprint", "subject", "certificate__name")
    exclude = ("encrypted_key",)

    @display(
        description="State",
        label={"in use": "success", "superseded": "info", "revoked": "danger"},
    )
    def show_state(self, version: Version) -> str:
        """Say whether it is in use, superseded or revoked."""
        return _state(version)


@admin.register(Revocation)
class RevocationAdmin(ReadOnly):
    """Revocations, to read."""

    list_display = ("version", "serial", "reason", "revoked_at", "revoked_by", "listed_in")
    list_filter = ("reason", "version__issuer", ("revoked_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("version__certificate", "revoked_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("version__serial", "version__certificate__name", "note")

    @display(description="Serial", ordering="version__serial")
    def serial(self, revocation: Revocation) -> str:
        """Show the serial."""
        return revocation.version.serial


@admin.register(CRL)
class CRLAdmin(ReadOnly):
    """Signed CRLs, to read, and to have a new one signed."""

    list_display = ("issuer", "number", "this_update", "next_update", "entries", "etag")
    list_filter = ("issuer",)
    list_select_related = ("issuer",)
    list_per_page = 50
    exclude = ("der",)
    actions = ("publish_now",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CRL]:
        """Leave the bytes in the database: they can be large."""
        return super().get_queryset(request).defer("der")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Name the permission that the action asks for."""
        return request.user.has_perm("certificates.publish_crl")

    @admin.action(description="Publish a new CRL now", permissions=["publish"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[CRL]) -> None:
        """Sign and store a new CRL of the issuers of the selected ones."""
        issuers = {row.issuer_id: row.issuer for row in queryset.select_related("issuer")}
        for issuer_id, issuer in issuers.items():
            try:
                published = crl.publish(issuer_id=issuer_id, actor=actor_of(request))
            except CertctlError as error:
                record_edge_refusal(
                    actor=actor_of(request), action="crl.publish", error=error, subject=issuer
                )
                self.message_user(request, f"{issuer}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"Published CRL {published.number} of {issuer}.")


@admin.register(OCSPResponse)
class OCSPResponseAdmin(ReadOnly):
    """Stored OCSP answers, to read."""

    list_display = ("serial", "issuer", "status", "hash_algorithm", "this_update", "next_update")
    list_filter = ("issuer", "status", "hash_algorithm")
    list_select_related = ("issuer",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("serial",)
    exclude = ("der",)


@admin.register(RenewalPolicy)
class RenewalPolicyAdmin(Saves):
    """When and how certificates are renewed."""

    list_display = ("name", "auto_renew", "window", "reuse_key", "max_attempts")
    list_filter = ("auto_renew",)
    search_fields = ("name",)
    fields = (
        "name",
        ("auto_renew", "reuse_key"),
        "window",
        ("max_attempts", "retry_delay"),
        "alert_days",
    )

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change it through the service."""
        data["alert_days"] = data.get("alert_days") or []
        if row is None:
            return services.create_policy(actor=actor_of(request), **data)
        return services.update_policy(policy_id=row.pk, actor=actor_of(request), changes=data)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service."""
        services.delete_policy(policy_id=obj.pk, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each through the service."""
        for row in queryset:
            services.delete_policy(policy_id=row.pk, actor=actor_of(request))


@admin.register(Issuer)
class CaAdmin(IssuerAdmin):
    """Issuers, and the making of a CA: its certificate and its CRL belong to certificates."""

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make a local CA, or rename and switch one."""
        if row is not None:
            return super().save_row(request, data, row)
        lifetime = timedelta(days=data.pop("lifetime_days"))
        return services.make_ca(actor=actor_of(request), ca=NewCA(lifetime=lifetime, **data))


def _confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("confirmed") == "yes"


def _state(version: Version) -> str:
    if hasattr(version, "revocation"):
        return "revoked"
    return "superseded" if version.superseded_at else "in use"
