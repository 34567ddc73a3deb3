"""A form whose row a service writes."""

from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from foundation.admin.edge import Edge
from foundation.admin.forms import invalid, show
from foundation.admin.refusals import REFUSED, record, refusal_of, unsay
from foundation.outcomes import Outcome


class Saves(Edge):
    """A form whose row is written by a service, and whose errors are the service's words.

    A refusal leaves by exception, so that Django's own transaction undoes everything; it is
    recorded when that has ended, and the page is shown again with its words at their fields.
    """

    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        """Call the service with the form's data and return what it wrote; `row` is None to add."""
        raise NotImplementedError

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        place = (object_id, form_url, extra_context)
        try:
            response: HttpResponse = super().changeform_view(request, *place)
        except Exception as error:
            if request.method != "POST" or refusal_of(error) is None:
                raise
            unsay(request)
            self._tell(request, object_id, error)
            return super().changeform_view(request, *place)
        shown = getattr(response, "context_data", None) or {}
        if request.method == "POST" and shown.get("errors"):
            self._tell(request, object_id, invalid(shown["adminform"].form))
        return response

    def _tell(self, request: HttpRequest, object_id: str | None, error: Exception) -> None:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        action = self.use_case_of(request, "change" if object_id else "add")
        record(request, action=action, error=error, subject=row)
        request.META[REFUSED] = refusal_of(error)

    @override
    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kw: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kw)
        return _written_elsewhere(form, request.META.get(REFUSED))

    @override
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        saved = self.save_row(request, dict(form.cleaned_data), obj if change else None)
        vars(obj).update(vars(saved))  # Django goes on with `obj`: where to lead, what to say

    @override
    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: the service has written the members."""

    @override
    def construct_change_message(self, *args: Any, **kwargs: Any) -> str:
        return ""  # the audit trail is the log

    @override
    def log_addition(self, *args: Any) -> None:
        """Do nothing: the audit trail is the log."""

    @override
    def log_change(self, *args: Any) -> None:
        """Do nothing: the audit trail is the log."""


def _written_elsewhere(form: Any, refused: Outcome | None) -> Any:
    """Return the form class less what validates and writes the row: the service does both."""

    class Form(form):
        @override
        def clean(self) -> Any:
            data = super().clean()
            if refused is not None:
                show(self, refused)
            return data

        @override
        def _post_clean(self) -> None:
            """Leave the row as it was read: the service validates."""

        @override
        def save(self, commit: bool = True) -> Any:
            return self.instance

    written: type[forms.BaseForm] = Form
    return written
