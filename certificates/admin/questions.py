"""What is asked before something is revoked, wherever it is asked."""

from django import forms

from certificates.models import Reason
from foundation.admin import ConfirmForm

NOTE_MAX = 2000
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
    field_order = ("reason", "note")

    def clean_reason(self) -> str:
        """Return a reason also where none was given."""
        return self.cleaned_data["reason"] or Reason.UNSPECIFIED.value
