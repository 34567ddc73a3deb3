"""Credentials in the admin: made here and shown once, alone or in bulk; blocked; never changed."""

import base64
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from typing_extensions import override
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from enrollment import services
from enrollment.admin.held import Holds
from enrollment.models import MAX_DEVICE_NAME, Credential, Label
from enrollment.services import Made, NewCredential
from enrollment.services.spreadsheets import COLUMNS
from foundation.admin import ConfirmForm, Question, ShownOnce, valid
from foundation.admin.forms import show
from foundation.errors import FieldError, Invalid
from foundation.forms import LinesField
from owners.logins import actor_of

MAX_CSV = 1_000_000


class CredentialForm(forms.ModelForm[Credential]):
    """A credential to be made."""

    device = forms.CharField(
        required=False,
        max_length=MAX_DEVICE_NAME,
        widget=UnfoldAdminTextInputWidget,
        help_text="The device's name; it is announced where it is new. Empty: all devices of the "
        "label share it.",
    )
    names = LinesField(
        help_text="What it may enroll, one a line, as dns:cam-17.example.com or "
        "dns:*.cams.example.com."
    )
    one_time = forms.BooleanField(
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Spent by the first request that it brings. What all devices share is not.",
    )

    class Meta:
        model = Credential
        fields = ("label", "expires_at")


class BulkForm(ConfirmForm):
    """A table of credentials to be made."""

    label = forms.ModelChoiceField(queryset=Label.objects.all())
    csv = forms.CharField(
        label="CSV",
        required=False,
        max_length=MAX_CSV,
        widget=forms.Textarea(
            attrs={
                "rows": 8,
                "spellcheck": "false",
                "placeholder": f"{','.join(COLUMNS)}\ncam-17,dns:cam-17.example.com,true,",
            }
        ),
        help_text=f"The first row names the columns: {', '.join(COLUMNS)}. Names are separated by "
        "spaces; an end is as 2027-01-31T12:00:00Z.",
    )
    file = forms.FileField(label="Or a file", required=False)

    @override
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        file = data.pop("file", None)
        if bool(data.get("csv")) == bool(file):
            raise forms.ValidationError("Paste a CSV, or choose a file.")
        if file:
            if file.size > MAX_CSV:
                raise forms.ValidationError(f"A file has at most {MAX_CSV} bytes.")
            try:
                data["csv"] = file.read().decode()
            except UnicodeDecodeError:
                raise forms.ValidationError("The file is not UTF-8 text.") from None
        return data


@admin.register(Credential)
class CredentialAdmin(ShownOnce, Holds):
    """What devices show the first time: EST's password, SCEP's challenge."""

    empty_words = "A credential lets one device enroll the first time, at one label."
    empty_button = ("Make a credential", "enrollment_credential_add")

    form = CredentialForm
    list_display = (
        "prefix",
        "show_device",
        "label",
        "state",
        "show_names",
        "expires_at",
        "created_by",
        "created_at",
    )
    list_display_links = ("prefix", "show_device")
    list_filter = ("label", "one_time", ("disabled_at", admin.EmptyFieldListFilter))
    list_select_related = ("label", "device", "created_by")
    search_fields = ("prefix", "device__name")
    autocomplete_fields = ("label",)
    ordering = ("-created_at", "pk")
    fields = ("label", "device", "names", "one_time", "expires_at")
    shown = (
        "prefix",
        "state",
        "label",
        "show_device",
        "show_names",
        "one_time",
        "expires_at",
        "spent_on",
        "disabled_at",
        "created_by",
        "created_at",
    )
    actions_list = ("bulk",)
    actions_detail = ("block", "revoke_held")
    use_cases = {
        "add": "credential.create",
        "bulk": "credential.create",
        "block": "credential.block",
        **Holds.holding,
    }

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who blocks."""
        return request.user.has_perm("enrollment.change_credential")

    def has_make_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who makes credentials."""
        return request.user.has_perm("enrollment.add_credential")

    @display(
        description="State",
        label={"usable": "success", "spent": "info", "expired": "warning", "blocked": "danger"},
    )
    def state(self, credential: Credential) -> str:
        """Say whether it may bring a first request."""
        if credential.disabled_at is not None:
            return "blocked"
        if credential.one_time and credential.spent_on_id is not None:
            return "spent"
        return "usable" if credential.is_usable(timezone.now()) else "expired"

    @display(description="Device", ordering="device__name")
    def show_device(self, credential: Credential) -> str:
        """Name the device, or say that all share it."""
        return credential.device.name if credential.device else "all devices"

    @display(description="Names")
    def show_names(self, credential: Credential) -> str:
        """List what it may enroll."""
        return ", ".join(credential.names) or "any that nobody has"

    # --- Making ---------------------------------------------------------------------------------

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        label = data.pop("label")
        made = services.create_credentials(
            actor=actor_of(request), label_id=label.pk, wanted=[NewCredential(**data)]
        )
        self.keep(request, made)
        return made[0].credential

    @action(description="Make many…", url_path="bulk", icon="playlist_add", permissions=["make"])
    def bulk(self, request: HttpRequest) -> HttpResponse:
        """Make a credential for each row of a CSV, all or none, and show the texts once."""
        question = Question(
            name="bulk",
            title="Make many credentials",
            explanation="One for each row, all or none. The next page shows them, once.",
            button="Make them",
            form=BulkForm,
            back=self.list_page(),
            is_calm=True,
        )
        if not self.is_confirmed(request):
            return self.ask(request, question)
        form = BulkForm(request.POST, request.FILES)
        try:
            data = valid(form)
            made = services.create_credentials(
                actor=actor_of(request),
                label_id=data["label"].pk,
                wanted=services.read_csv(data["csv"]),
                numbered=True,
            )
        except Invalid as error:
            outcome = self.refuse(request, "bulk", error)
            if form.is_valid():
                outcome.errors[:] = [_in_row(wrong) for wrong in outcome.errors]
                show(form, outcome)
            return self.ask(request, question, form)
        return self.show_once(request, made)

    @override
    def page_of_made(self, made: Sequence[Made]) -> tuple[str, dict[str, Any]]:
        table = base64.b64encode(services.to_csv(made).encode()).decode()
        return "admin/enrollment/credential/created.html", {
            "title": "Credential created" if len(made) == 1 else "Credentials created",
            "made": made,
            # In the page itself: nothing keeps it here for a second request.
            "table": f"data:text/csv;charset=utf-8;base64,{table}",
        }

    # --- Blocking -------------------------------------------------------------------------------

    @override
    def is_blocked(self, row: Any) -> bool:
        return bool(row.disabled_at is not None)

    @action(description="Block…", url_path="block", icon="block", permissions=["block"])
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Block the credential, once it is confirmed."""
        credential = self.row(request, object_id)
        question = Question(
            name="block",
            title=f"Block the credential {credential}",
            explanation="It enrolls nothing any more, for good; what it brought and is still open "
            "ends. What was issued stays valid until it is revoked.",
            button="Block",
            subject=credential,
            back=self.row_page(credential),
        )

        def block(_: dict[str, Any]) -> list[str]:
            services.block_credential(actor=actor_of(request), credential_id=credential.pk)
            return [f"Blocked {credential}."]

        asked = self.confirm_named(request, question, [credential], block)
        return self.after_block(request, credential, asked)

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Credential]:
        return super().get_queryset(request).defer("digest")


def _in_row(wrong: FieldError) -> FieldError:
    """Return what is wrong with a cell, with the number of its row in the words."""
    number, dot, field = wrong["field"].partition(".")
    if not dot:
        return wrong
    return FieldError(wrong["field"], wrong["code"], f"Row {number}, {field}: {wrong['detail']}")
