"""What is asked where a plan is made, confirmed, or held."""

from typing import Any

from django import forms
from typing_extensions import override

from certificates.admin.questions import explained
from certificates.models import Reason
from foundation.admin import ConfirmForm
from foundation.forms import LinesField
from issuers.models import Issuer, Profile
from revocation.models import MAX_PAUSE, MAX_WAVE, Plan
from revocation.services.plans import DEFAULT_WAVE, MAX_NOTE
from revocation.services.spreadsheets import COLUMNS
from revocation.states import Unproven

MAX_CSV = 1_000_000
_MOMENT = "%Y-%m-%dT%H:%M"


class NoteForm(ConfirmForm):
    """A word for the trail."""

    note = forms.CharField(
        required=False,
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It is kept in the audit trail.",
    )


def _moment(**options: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    return forms.DateTimeField(required=False, widget=widget, **options)


class PlanForm(NoteForm):
    """Which certificates, why, and how; every criterion that is given must be met."""

    owner = forms.CharField(required=False, max_length=200, help_text="Its name.")
    team = forms.CharField(required=False, max_length=200, help_text="Its name.")
    issuer = forms.ModelChoiceField(
        Issuer.objects.order_by("slug"), to_field_name="slug", required=False, empty_label="Any"
    )
    profile = forms.ModelChoiceField(
        Profile.objects.order_by("slug"), to_field_name="slug", required=False, empty_label="Any"
    )
    environment = forms.CharField(required=False, max_length=32)
    tags = LinesField(help_text="One a line; a certificate must have all of them.")
    agent = forms.CharField(
        required=False, max_length=200, help_text="Its name: what it carries certificates to."
    )
    issued_from = _moment(label="Issued from", help_text="UTC.")
    issued_to = _moment(label="Issued before", help_text="UTC.")
    key_fingerprint = forms.CharField(
        label="Key", required=False, max_length=100, help_text="SHA-256 of the public key."
    )
    serials = LinesField(help_text="One a line, in hexadecimal, with or without colons.")
    csv = forms.FileField(
        label="CSV",
        required=False,
        help_text=f"A table whose first row names its columns: {', '.join(COLUMNS)}.",
    )
    reason = forms.ChoiceField(
        choices=explained(Reason), initial=Reason.UNSPECIFIED.value, widget=forms.RadioSelect
    )
    wave_size = forms.IntegerField(
        min_value=1, max_value=MAX_WAVE, initial=DEFAULT_WAVE, help_text="Certificates at a time."
    )
    pause_seconds = forms.IntegerField(
        label="Pause", min_value=0, max_value=MAX_PAUSE, initial=0, help_text="Seconds in between."
    )
    drill = forms.BooleanField(
        required=False, help_text="A rehearsal: it goes the whole way and revokes nothing."
    )
    replace_first = forms.BooleanField(
        required=False,
        help_text="Ask for certificates with new keys, under the usual approvals, and revoke only "
        "what is proven to be replaced. Not for a compromise.",
    )
    replace_by = _moment(label="Replaced by", help_text="UTC: until then replacements are awaited.")
    unproven = forms.ChoiceField(
        label="What is not replaced by then",
        required=False,
        choices=[("", "-"), *Unproven.choices],
    )
    field_order = (
        "owner", "team", "issuer", "profile", "environment", "tags", "agent", "issued_from",
        "issued_to", "key_fingerprint", "serials", "csv", "reason", "note", "wave_size",
        "pause_seconds", "drill", "replace_first", "replace_by", "unproven",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("drill", "replace_first"):
            del self.fields[name].widget.attrs["class"]

    def clean_csv(self) -> str:
        """Return the file's text."""
        file = self.cleaned_data["csv"]
        if not file:
            return ""
        if file.size > MAX_CSV:
            raise forms.ValidationError(f"A file has at most {MAX_CSV} bytes.")
        try:
            return str(file.read().decode())
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is not UTF-8 text.") from None

    @override
    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("issued_from")) != bool(data.get("issued_to")):
            self.add_error("issued_to", "Give both instants, or neither.")
        return data


def asked(data: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `create_plan` that a valid form means: empty fields are no criteria.

    An unknown name in one of them is refused by the service, at `criteria.<name>`.
    """
    begins, ends = data.pop("issued_from"), data.pop("issued_to")
    criteria = {
        name: data.pop(name)
        for name in (
            "owner", "team", "environment", "tags", "agent", "key_fingerprint", "serials", "csv",
        )
    }  # fmt: skip
    for name in ("issuer", "profile"):
        row = data.pop(name)
        criteria[name] = row.slug if row is not None else ""
    if begins and ends:
        criteria["issued_between"] = {"from": begins, "to": ends}
    return {**data, "criteria": {name: value for name, value in criteria.items() if value}}


def count_form(plan: Plan) -> type[ConfirmForm]:
    """Return the form that confirms `plan`: nobody revokes so many by a slip of the hand."""

    class CountForm(ConfirmForm):
        count = forms.IntegerField(
            label="How many",
            help_text=f"Type {plan.count} to confirm that so many are meant.",
        )

        def clean_count(self) -> int:
            if self.cleaned_data["count"] != plan.count:
                raise forms.ValidationError(f"The plan is about {plan.count}.")
            return plan.count

    return CountForm
