"""Forms with a switch: who switches a row off by one is asked for its name first."""

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.forms import PasswordInput
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from foundation.admin.confirms import ConfirmForm, Question
from foundation.admin.forms import valid
from foundation.admin.named import Names
from foundation.admin.saves import Saves
from foundation.errors import Invalid

_OF_THE_PAGE = {"csrfmiddlewaretoken", "confirmed", "confirm_name"}


class Switches(Saves, Names):
    """Rows with a column `switch` that says whether they are in use.

    What else was changed in the form goes with it, over the page that asks; secrets do not.
    """

    switch: ClassVar[str] = "enabled"
    # What ends when one is switched off.
    off_words: ClassVar[str] = ""

    @override
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is not None and request.method == "POST":
            row = self.get_object(request, unquote(object_id))
            asked = self._ask_off(request, row) if row is not None else None
            if asked is not None:
                return asked
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _ask_off(self, request: HttpRequest, row: Any) -> HttpResponse | None:
        """Return the page that asks; None where it stays on, or its name was typed."""
        if not self.has_change_permission(request, row) or not getattr(row, self.switch):
            return None
        fields = self.get_form(request, row, change=True).base_fields
        shown = fields.get(self.switch)
        if shown is None or shown.widget.value_from_datadict(request.POST, {}, self.switch):
            return None
        secret = {name for name, one in fields.items() if isinstance(one.widget, PasswordInput)}
        kept = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in _OF_THE_PAGE and name not in secret
            for value in values
        ]
        question = self.named(
            request,
            Question(
                name="change",
                title=f"Disable {row}",
                explanation=self.off_words,
                button="Disable",
                subject=row,
                back=self.row_page(row),
                context={"kept": kept, "lost": any(request.POST.get(name) for name in secret)},
            ),
            [row],
        )
        if not self.is_confirmed(request):
            return self.ask(request, question)
        form: ConfirmForm = question.form(request.POST)
        try:
            valid(form)
        except Invalid as error:
            self.refuse(request, "change", error, row)
            return self.ask(request, question, form)
        return None
