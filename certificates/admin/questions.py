"""What is asked before something is revoked, wherever it is asked."""

from collections.abc import Sequence

from django import forms

from certificates.models import Reason
from foundation.admin import ConfirmForm

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


class RevokeForm(NoteForm):
    """Why."""

    reason = forms.ChoiceField(
        choices=Reason.choices, initial=Reason.UNSPECIFIED.value, required=False
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
