"""Issuers, with the making of a CA: its certificate and its CRL belong to certificates."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from typing_extensions import override
from unfold.decorators import display

from certificates import responders, services, signers
from certificates.admin.about_issuers import CaPage, bar_of
from certificates.admin.take_over import TakesOver
from foundation.admin import ConfirmForm, Confirms, Question
from foundation.clock import database_clock
from issuers.admin import IssuerAdmin
from issuers.models import Issuer
from issuers.services import NewCA
from owners.logins import actor_of


class OldCRLForm(ConfirmForm):
    """The CRL that a CA published last."""

    crl = forms.CharField(
        label="Its last CRL in PEM",
        max_length=1_000_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    none_published = forms.BooleanField(
        label="It never published one: nothing of it is revoked", required=False
    )

    @override
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("crl")) == bool(data.get("none_published")):
            raise forms.ValidationError("Give a CRL, or say that there never was one.")
        return data


@admin.register(Issuer)
class CaAdmin(TakesOver, CaPage, IssuerAdmin, Confirms):
    """Makes a CA whole: recorded under its parent, with its first CRL."""

    empty_words = (
        "An issuer is a CA that signs: a root and those below it, made here or taken over "
        "with their keys."
    )
    empty_button = ("Make a CA", "issuers_issuer_add")

    actions = (*IssuerAdmin.actions, "import_crl")
    actions_list = ("take_over",)
    list_before_template = "admin/issuers/issuer/ways.html"
    use_cases = {**IssuerAdmin.use_cases, **TakesOver.taking, "import_crl": "crl.import"}

    @override
    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        rows = list(shown.result_list)
        barred = signers.barred(rows)
        for row in rows:
            row.bar = barred.get(row.pk)
        return shown

    @override
    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        if obj is None:
            return fields
        return (*(("revoked",) if bar_of(obj) else ()), *fields, "signs_answers")

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "revoked", "signs_answers")

    @override
    @display(
        description="State",
        label={"enabled": "success", "disabled": "warning", "revoked": "danger"},
    )
    def state(self, issuer: Issuer) -> str:
        return "revoked" if bar_of(issuer) else super().state(issuer)

    @display(description="Revoked")
    def revoked(self, issuer: Issuer) -> str:
        """Say why it signs no more certificates."""
        bar = bar_of(issuer)
        return f"{bar.detail} CRLs and OCSP answers it still signs." if bar else "-"

    @display(description="OCSP answers signed by")
    def signs_answers(self, issuer: Issuer) -> str:
        """Name the delegate's certificate, or say that there is none."""
        version = responders.delegate_of(issuer, database_clock.now())
        if version is None:
            return "the CA's own key" if issuer.answers_for_revocation else "its CA"
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:certificates_version_change", args=[version.pk]),
            version,
        )

    def has_take_over_permission(self, request: HttpRequest) -> bool:
        """Name the permission that taking over a CA's revocations asks for."""
        return request.user.has_perm("issuers.add_issuer")

    @admin.action(description="Import its old CRL…", permissions=["take_over"])
    def import_crl(self, request: HttpRequest, queryset: QuerySet[Issuer]) -> HttpResponse | None:
        """Take over what a CA revoked before it came here."""
        issuers = list(queryset[:2])
        if len(issuers) != 1:
            self.message_user(request, "Choose one issuer: a CRL is that of one.", messages.ERROR)
            return None
        (issuer,) = issuers

        def take(data: dict[str, Any]) -> list[str]:
            row = services.import_crls(
                actor=actor_of(request),
                issuer_id=issuer.pk,
                crls=[data["crl"]] if data["crl"] else [],
            )
            return [f"{issuer} goes on with CRL number {row.crl_number}."]

        question = Question(
            "import_crl",
            title=f"Import the old CRL of {issuer}",
            button="Import",
            back=self.list_page(),
            explanation="What it lists is revoked here too, certificates that are not here"
            " included; the next CRL goes on from its number.",
            subject=issuer,
            form=OldCRLForm,
            action="import_crl",
            selected=[issuer],
            is_calm=True,
        )
        return self.confirm(request, question, take)

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        if row is not None:
            return super().save_row(request, data, row)
        lifetime = timedelta(days=data.pop("lifetime_days"))
        return services.make_ca(actor=actor_of(request), ca=NewCA(lifetime=lifetime, **data))
