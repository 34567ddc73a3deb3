"""Issuers and profiles in the admin; every change goes through the services."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from audit.use_cases import record_edge_refusal
from foundation.errors import CertctlError
from foundation.forms import LinesField
from issuers import services
from issuers.connectors.local import pointers_of
from issuers.models import Issuer, Profile
from issuers.services.authorities import CA_ALGORITHMS
from issuers.services.profiles import KEY_ALGORITHMS
from issuers.words import MAY_NEED_APPROVAL
from issuers.x509 import certs, names
from owners.admin import Saves
from owners.logins import actor_of


class NewIssuerForm(forms.ModelForm[Issuer]):
    """A local CA to be made."""

    common_name = forms.CharField(max_length=64, widget=UnfoldAdminTextInputWidget)
    organization = forms.CharField(max_length=64, required=False, widget=UnfoldAdminTextInputWidget)
    key_algorithm = forms.ChoiceField(
        choices=[(name, name) for name in CA_ALGORITHMS], widget=UnfoldAdminSelectWidget
    )
    lifetime_days = forms.IntegerField(
        min_value=1, max_value=10_950, initial=1825, widget=UnfoldAdminIntegerFieldWidget
    )
    path_length = forms.IntegerField(
        min_value=0,
        max_value=9,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many CAs may stand below it. Empty: any below a root, none below a parent.",
    )

    class Meta:
        model = Issuer
        fields = ("slug", "name", "parent")


class IssuerAdmin(Saves):
    """CAs: tested, switched on and off; a key is never shown and never leaves.

    `certificates.admin` adds the making of one in a subclass, and registers that.
    """

    list_display = ("slug", "name", "kind", "state", "ends", "show_key_algorithm")
    list_filter = ("kind", "enabled")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    actions = ("test", "enable", "disable")
    _NEW = (
        "slug",
        "name",
        ("common_name", "organization"),
        ("key_algorithm", "lifetime_days"),
        ("parent", "path_length"),
    )
    _SHOWN = (
        "slug",
        "kind",
        "parent",
        "subject",
        "begins",
        "ends",
        "show_key_algorithm",
        "fingerprint",
        "published",
        "last_crl",
        "show_certificate",
        "created_at",
    )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        """Ask for all that a CA is made of; afterwards only for its name and switch."""
        if obj is None:
            kw["form"] = NewIssuerForm
        return super().get_form(request, obj, change, **kw)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the certificate of a CA that exists."""
        return ("name", "enabled", *self._SHOWN) if obj else self._NEW

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing of a CA but its name and switch ever changes."""
        return self._SHOWN if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Issuers are disabled: what they signed must go on being answered for."""
        return False

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Name the permission that testing asks for."""
        return request.user.has_perm("issuers.test_issuer")

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Rename or switch one."""
        changes = {field: data[field] for field in ("name", "enabled")}
        return services.update_issuer(actor=actor_of(request), issuer_id=row.pk, changes=changes)

    @display(description="State", label={"enabled": "success", "disabled": "warning"})
    def state(self, issuer: Issuer) -> str:
        """Say whether it signs certificates."""
        return "enabled" if issuer.enabled else "disabled"

    @display(description="Subject", empty_value="-")
    def subject(self, issuer: Issuer) -> str | None:
        """Name the CA as its certificate does."""
        return issuer.described.subject if issuer.described else None

    @display(description="Valid from", empty_value="-")
    def begins(self, issuer: Issuer) -> str | None:
        """Show when its certificate begins."""
        return _moment(issuer.described.not_before) if issuer.described else None

    @display(description="Valid until", empty_value="-")
    def ends(self, issuer: Issuer) -> str | None:
        """Show when its certificate ends."""
        return _moment(issuer.described.not_after) if issuer.described else None

    @display(description="Key", empty_value="-")
    def show_key_algorithm(self, issuer: Issuer) -> str | None:
        """Name the algorithm of its key."""
        return issuer.described.key_algorithm_text if issuer.described else None

    @display(description="SHA-256 fingerprint", empty_value="-")
    def fingerprint(self, issuer: Issuer) -> str | None:
        """Show what to compare a trust store with."""
        return issuer.described.fingerprint if issuer.described else None

    @display(description="Published at")
    def published(self, issuer: Issuer) -> SafeString:
        """Link to what relying parties fetch."""
        places = pointers_of(issuer.slug)
        return format_html(
            '<a href="{}">CRL</a> · <a href="{}">CA certificate</a> · OCSP: {}',
            places.crl,
            places.ca_issuers,
            places.ocsp,
        )

    @display(description="Last CRL number")
    def last_crl(self, issuer: Issuer) -> int:
        """Show the number that the next CRL follows on."""
        return issuer.crl_number

    @display(description="Certificate")
    def show_certificate(self, issuer: Issuer) -> SafeString:
        """Show the PEM, with the certificates above it."""
        return format_html(
            '<pre class="certctl-data">{}{}</pre>', issuer.certificate_pem, issuer.chain_pem
        )

    @admin.action(description="Test connection", permissions=["test"])
    def test(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> None:
        """Have each prove that it can sign."""
        for issuer in queryset:
            try:
                said = services.test_connection(issuer=issuer, actor=actor_of(request))
            except CertctlError as error:  # the service has written it down
                self.message_user(request, f"{issuer}: {error.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{issuer}: {said}", messages.SUCCESS)

    @admin.action(description="Enable selected issuers", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> None:
        """Let them sign."""
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable selected issuers", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> None:
        """Keep them from signing certificates; CRLs and OCSP answers go on."""
        self._switch(request, queryset, enabled=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Issuer], *, enabled: bool) -> None:
        for issuer in queryset:
            services.update_issuer(
                actor=actor_of(request), issuer_id=issuer.pk, changes={"enabled": enabled}
            )
        done = "Enabled" if enabled else "Disabled"
        self.message_user(request, f"{done} {len(queryset)} issuer(s).", messages.SUCCESS)


class AttributesField(LinesField):
    """Subject attributes, one `O=Example` a line."""

    def prepare_value(self, value: Any) -> Any:
        """Show an object as lines."""
        if isinstance(value, dict):
            return "\n".join(f"{name}={text}" for name, text in value.items())
        return value

    def to_python(self, value: Any) -> Any:
        """Read lines as an object."""
        pairs = {}
        for line in super().to_python(value):
            name, equals, text = line.partition("=")
            if not equals:
                raise forms.ValidationError(f"{line!r} is not of the form O=Example.")
            pairs[name.strip()] = text.strip()
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say yes to what cannot be read, so that it is looked at."""
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


class ProfileForm(forms.ModelForm[Profile]):
    """A profile, its lists one entry a line."""

    key_algorithms = LinesField(
        initial=["ecdsa-p256"],
        help_text=f"Of {', '.join(KEY_ALGORITHMS)}. RSA sizes are minima.",
    )
    key_usage = LinesField(
        initial=["digitalSignature"], help_text="Such as digitalSignature, keyEncipherment."
    )
    extended_key_usage = LinesField(
        initial=["serverAuth"],
        help_text=f"Of {', '.join(n for n in certs.EXTENDED_KEY_USAGES if n != 'OCSPSigning')},"
        " or dotted OIDs.",
    )
    allowed_sans = LinesField(
        label="Allowed names",
        help_text="Patterns: dns:*.demo.internal, ip:10.0.0.0/8, email:*@example.com,"
        " uri:spiffe://example.com/*. A name that no pattern allows is refused.",
    )
    required_sans = LinesField(
        label="Required names", help_text="Patterns that at least one name must meet, each."
    )
    subject_attributes = LinesField(help_text=f"Of {', '.join(names.ATTRIBUTES)}.")
    fixed_subject = AttributesField(help_text="Attributes that we set, such as O=Example.")
    approval_required_for = LinesField(help_text=f"Of {', '.join(MAY_NEED_APPROVAL)}.")

    class Meta:
        model = Profile
        fields = (
            "slug",
            "name",
            "description",
            "enabled",
            "issuers",
            "max_lifetime",
            "allow_wildcards",
            "max_sans",
        )
        labels = {"max_sans": "Most names"}
        help_texts = {"max_lifetime": "Days and time, such as 47 00:00:00 or 00:30:00."}


@admin.register(Profile)
class ProfileAdmin(Saves):
    """Rules for kinds of certificates."""

    form = ProfileForm
    list_display = ("slug", "name", "state", "max_lifetime", "shown_algorithms", "approval")
    list_filter = ("enabled", "issuers")
    search_fields = ("slug", "name", "description")
    ordering = ("slug",)
    autocomplete_fields = ("issuers",)
    fieldsets = (
        (None, {"fields": ("slug", "name", "description", "enabled", "issuers")}),
        ("Names", {"fields": ("allowed_sans", "required_sans", ("allow_wildcards", "max_sans"))}),
        ("Subject", {"fields": (("subject_attributes", "fixed_subject"),)}),
        (
            "Key and purpose",
            {
                "fields": (
                    "max_lifetime",
                    "key_algorithms",
                    ("key_usage", "extended_key_usage"),
                )
            },
        ),
        ("Approval", {"fields": ("approval_required_for",)}),
    )

    @display(
        description="State",
        label={"enabled": "success", "disabled": "warning", "CA certificates": "info"},
    )
    def state(self, profile: Profile) -> str:
        """Say whether certificates are issued under it."""
        if profile.is_ca:
            return "CA certificates"
        return "enabled" if profile.enabled else "disabled"

    @display(description="Keys")
    def shown_algorithms(self, profile: Profile) -> str:
        """List the key algorithms."""
        return ", ".join(profile.key_algorithms)

    @display(description="Approval", empty_value="-")
    def approval(self, profile: Profile) -> str:
        """List the jobs that need approval."""
        return ", ".join(profile.approval_required_for)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What our own CAs are listed under is not for editing."""
        if obj is not None and obj.is_ca:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor for deleting."""
        if obj is not None and obj.is_ca:
            return False
        return super().has_delete_permission(request, obj)

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Make or change a profile; mistakes show at their fields."""
        return services.save_profile(
            actor=actor_of(request),
            issuers=data.pop("issuers"),
            changes=data,
            profile_id=row.pk if row else None,
        )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service."""
        services.delete_profile(actor=actor_of(request), profile=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete each through the service; those in use stay, and a message says so."""
        for profile in queryset:
            try:
                services.delete_profile(actor=actor_of(request), profile=profile)
            except CertctlError as error:
                record_edge_refusal(
                    actor=actor_of(request), action="profile.delete", error=error, subject=profile
                )
                self.message_user(request, f"{profile}: {error.detail}", messages.ERROR)


def _moment(value: datetime) -> str:
    return date_format(localtime(value), "DATETIME_FORMAT")
