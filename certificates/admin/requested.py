"""CAs that another CA is to sign: a key and CSR are made here, and its certificate is brought."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from typing_extensions import override
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

import issuers.services
from certificates import services
from certificates.admin.take_over import ADD, MAX_PEM
from foundation.admin import ConfirmForm, Confirms, Deletes, Question, Saves
from issuers.models import RequestedCA
from issuers.services.ca_rules import CA_ALGORITHMS
from owners.logins import actor_of


class NewRequestForm(forms.ModelForm[RequestedCA]):
    """What the CSR asks for."""

    common_name = forms.CharField(max_length=64, widget=UnfoldAdminTextInputWidget)
    organization = forms.CharField(max_length=64, required=False, widget=UnfoldAdminTextInputWidget)
    key_algorithm = forms.ChoiceField(
        choices=[(name, name) for name in CA_ALGORITHMS], widget=UnfoldAdminSelectWidget
    )
    path_length = forms.IntegerField(
        min_value=0,
        max_value=9,
        required=False,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many CAs may stand below it; empty: any number. Who signs it decides.",
    )

    class Meta:
        model = RequestedCA
        fields = ("slug", "name", "pki_prefix")


class SignedForm(ConfirmForm):
    """What came back from the CA that signed."""

    certificate = forms.CharField(
        label="Its certificate in PEM",
        max_length=MAX_PEM,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    chain = forms.CharField(
        label="The certificates above it in PEM",
        required=False,
        max_length=MAX_PEM,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="Up to the root, in any order.",
    )


@admin.register(RequestedCA)
class RequestedCAAdmin(Saves, Deletes, Confirms):
    """Whoever makes CAs makes these; the key is sealed and never shown."""

    empty_words = (
        "A CA below your company's root: its key and CSR are made here, your root signs the CSR, "
        "and you bring the certificate."
    )
    empty_button = ("Make a key and a CSR", "issuers_requestedca_add")
    list_display = ("slug", "name", "requested_by", "created_at")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    actions_detail = ("csr", "signed")
    reading = ("csr",)
    use_cases = {
        "add": "issuer.request",
        "signed": "issuer.complete",
        "delete": "issuer.give_up",
    }
    _NEW = ("slug", "name", ("common_name", "organization"), ("key_algorithm", "path_length"))

    @override
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(ADD)

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD)

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # what was asked for stands in the CSR

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(ADD)

    @override
    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD)

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        if obj is None:
            kw["form"] = NewRequestForm
        return super().get_form(request, obj, change, **kw)

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("slug", "name", "pki_prefix", "requested_by", "created_at")
        return (*shown, "next_step", "show_csr") if obj else (*self._NEW, "pki_prefix")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("next_step", "show_csr", "requested_by", "created_at") if obj else ()

    def has_complete_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Name the permission that the pages of one ask for."""
        return request.user.has_perm(ADD)

    @action(
        description="Download the CSR",
        url_path="csr",
        icon="download",
        permissions=["complete"],
    )
    def csr(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer the CSR as a file."""
        row = self.row(request, object_id)
        answer = HttpResponse(row.csr_pem, content_type="application/x-pem-file")
        answer.headers["Content-Disposition"] = f'attachment; filename="{row.slug}.csr.pem"'
        return answer

    @action(
        description="Bring its certificate…",
        url_path="signed",
        icon="verified",
        permissions=["complete"],
    )
    def signed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the certificate, and make an issuer of it."""
        row = self.row(request, object_id)

        def complete(data: dict[str, Any]) -> list[str]:
            issuer = services.complete_ca(
                actor=actor_of(request),
                requested_id=row.pk,
                certificate_pem=data["certificate"],
                chain_pem=data["chain"],
            )
            return [f"{issuer} signs certificates from now on, and its first CRL is published."]

        question = Question(
            "signed",
            title=f"Bring the certificate of {row.name}",
            button="Make it an issuer",
            back=reverse("admin:issuers_issuer_changelist"),
            explanation="The certificate must be for the key that was made here, be a CA's "
            "(basicConstraints and keyUsage with keyCertSign and cRLSign), and its path to the "
            "root must hold (RFC 5280 §6).",
            subject=row,
            form=SignedForm,
            is_calm=True,
        )
        return self.confirm(request, question, complete)

    @display(description="What to do")
    def next_step(self, row: RequestedCA) -> str:
        """Lead through."""
        return "Download the CSR, have the CA above sign it, then bring the certificate."

    @display(description="CSR")
    def show_csr(self, row: RequestedCA) -> SafeString:
        """Show the CSR; `openssl req` reads it back unchanged."""
        return format_html('<pre class="certctl-data" tabindex="0">{}</pre>', row.csr_pem)

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return issuers.services.request_ca(actor=actor_of(request), **data)

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        issuers.services.drop_requested(actor=actor_of(request), requested_id=row.pk)
