"""Forms at the edge: what is wrong with one is an error like any other, and the other way round."""

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from foundation.errors import FieldError, Invalid
from foundation.outcomes import Outcome


def valid(form: forms.BaseForm) -> dict[str, Any]:
    """Return what the form holds; raises Invalid with a FieldError for each mistake."""
    if form.is_valid():
        return dict(form.cleaned_data)
    raise invalid(form)


def invalid(form: forms.BaseForm) -> Invalid:
    """Return the error that a form with mistakes is. It names the fields, not what was entered."""
    names = [name for name in form.errors if name != NON_FIELD_ERRORS]
    return Invalid(
        f"Not valid: {', '.join(names)}." if names else "",
        errors=[
            FieldError(name, wrong["code"], wrong["message"])
            for name, mistakes in form.errors.get_json_data().items()
            for wrong in mistakes
        ],
    )


def show(form: forms.BaseForm, outcome: Outcome) -> None:
    """Show a refusal in the form it answers, each of its errors at its field."""
    for wrong in outcome.errors:
        form.add_error(wrong["field"] if wrong["field"] in form.fields else None, wrong["detail"])
    if not outcome.errors:
        form.add_error(None, outcome.detail)
