"""What is asked before something is revoked, wherever it is asked."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from certificates.models import Reason
from foundation.admin import ConfirmForm, words

NOTE_MAX = 2000
IS_REVOKED = (
    "Relying parties will refuse this certificate. Except for a hold, this cannot be taken back."
)
CA_IS_REVOKED = (
    "Relying parties will refuse this certificate and all that stand below it, and no more are "
    "signed. This cannot be taken back."
)
AFFECTED = "admin/certificates/certificate/affected.html"


class NoteForm(ConfirmForm):
    """A word for the trail."""

    note = forms.CharField(
        required=False, max_length=NOTE_MAX, widget=forms.Textarea(attrs={"rows": 3})
    )


def explained(reasons: Iterable[str]) -> list[tuple[str, SafeString]]:
    """Return each of `reasons` with its words, the explanation apart from the name, for radios."""
    return [(str(one), _explained(str(one))) for one in reasons]


def _explained(code: str) -> SafeString:
    name, explanation = words.reason_parts(code)
    return format_html(
        '<span class="decide-choice-name">{}</span> <span class="decide-choice-why">{}</span>',
        name,
        f"{explanation[:1].upper()}{explanation[1:]}.",
    )


class RevokeForm(NoteForm):
    """Why; BR 7.2.2: each reason there is, `unspecified` first, and given unless another is."""

    reason = forms.ChoiceField(
        choices=explained(Reason),
        initial=Reason.UNSPECIFIED.value,
        required=False,
        widget=forms.RadioSelect,
    )
    field_order: Sequence[str] = ("reason", "note")

    def clean_reason(self) -> str:
        """Return a reason also where none was given."""
        return self.cleaned_data["reason"] or Reason.UNSPECIFIED.value


class RevokeCaForm(RevokeForm):
    """The same for a CA's own certificate, which nobody revokes by a slip of the hand."""

    confirm_name = forms.CharField(
        max_length=200,
        label="Name of the certificate",
        help_text="Type it to revoke the CA: all that it signed will be refused, and it signs no "
        "more certificates.",
    )
    field_order = ("confirm_name", "reason", "note")


def revoke_form(reasons: Sequence[Reason], *, is_ca: bool) -> type[RevokeForm]:
    """Return the form that asks why, offering `reasons` alone; a CA's name must be typed."""
    base = RevokeCaForm if is_ca else RevokeForm

    class Form(base):  # type: ignore[valid-type,misc]  # which of the two only the row says
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            shown = self.fields["reason"]
            shown.choices = explained(reasons)
            if Reason.UNSPECIFIED not in reasons:
                shown.initial = None

    form: type[RevokeForm] = Form
    return form
