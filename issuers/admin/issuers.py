"""Issuers in the admin; every change goes through the services."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from typing_extensions import override
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from foundation.admin import Switches
from issuers import services
from issuers.admin.about import IssuerPage
from issuers.models import Issuer
from issuers.pointers import default_prefix, pointers_of, prefix_of, warning_of
from issuers.services.authorities import CA_ALGORITHMS, CHANGEABLE
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
        fields = ("slug", "name", "parent", "pki_prefix")


class IssuerAdmin(IssuerPage, Switches):
    """CAs: tested, switched on and off; a key is never shown and never leaves.

    `certificates.admin` adds the making of one in a subclass, and registers that.
    """

    off_words = (
        "It signs no certificates any more: what is asked for there, renewals too, waits or fails. "
        "CRLs and OCSP answers go on."
    )
    list_display = ("slug", "name", "kind", "state", "ends", "show_key_algorithm")
    list_filter = ("kind", "enabled")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    actions: tuple[str, ...] = ("test", "enable", "disable")
    use_cases = {
        "add": "issuer.create",
        "change": "issuer.update",
        "test": "issuer.test",
        "enable": "issuer.update",
        "disable": "issuer.update",
    }
    _NEW = (
        "slug",
        "name",
        ("common_name", "organization"),
        ("key_algorithm", "lifetime_days"),
        ("parent", "path_length"),
        "pki_prefix",
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

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        if obj is None:
            kw["form"] = NewIssuerForm
        return super().get_form(request, obj, change, **kw)

    @override
    def formfield_for_dbfield(self, db_field: Any, request: Any, **kw: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kw)
        if db_field.name in {"crl_shards", "ocsp_ahead"} and field is not None:
            field.required = False  # left out it stays as it is
        return field

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*CHANGEABLE, "successor", *self._SHOWN) if obj else self._NEW

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self._SHOWN if obj else ()  # name, switch, options and successor alone ever change

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # disabled instead: what they signed must go on being answered for

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Name the permission that testing asks for."""
        return request.user.has_perm("issuers.test_issuer")

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method == "GET":
            row = self.get_object(request, unquote(object_id)) if object_id else None
            warning = warning_of(prefix_of(row) if row else default_prefix())
            if warning:
                messages.warning(request, warning)
        return super().changeform_view(request, object_id, form_url, extra_context)

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        # What a form leaves out stays as it is; a prefix that is left empty is taken away.
        changes = {
            field: data[field]
            for field in CHANGEABLE
            if data.get(field) is not None and (data[field] != "" or field == "pki_prefix")
        }
        actor = actor_of(request)
        issuer = services.update_issuer(actor=actor, issuer_id=row.pk, changes=changes)
        if data["successor"] != issuer.successor:
            issuer = services.name_successor(
                actor=actor, issuer_id=row.pk, successor=data["successor"]
            )
        return issuer

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
        places = pointers_of(issuer)
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
        actor = actor_of(request)
        for issuer, said in self.each(
            request,
            "test",
            queryset,
            lambda issuer: services.test_connection(issuer=issuer, actor=actor),
        ):
            self.message_user(request, f"{issuer}: {said}", messages.SUCCESS)

    @admin.action(description="Enable selected issuers", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> None:
        """Let them sign."""
        self._switch(request, queryset, enabled=True)

    @admin.action(description="Disable selected issuers", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> HttpResponse | None:
        """Keep them from signing certificates; CRLs and OCSP answers go on."""
        return self.switch_off(
            request,
            "disable",
            list(queryset),
            self.off_words,
            lambda: self._switch(request, queryset, enabled=False),
        )

    def _switch(self, request: HttpRequest, queryset: QuerySet[Issuer], *, enabled: bool) -> None:
        actor, name = actor_of(request), "enable" if enabled else "disable"
        switched = self.each(
            request,
            name,
            queryset,
            lambda issuer: services.update_issuer(
                actor=actor, issuer_id=issuer.pk, changes={"enabled": enabled}
            ),
        )
        if switched:
            words = f"{name.capitalize()}d {len(switched)} issuer(s)."
            self.message_user(request, words, messages.SUCCESS)


def _moment(value: datetime) -> str:
    return date_format(localtime(value), "DATETIME_FORMAT")
