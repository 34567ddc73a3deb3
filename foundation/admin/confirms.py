"""Pages that ask before something is done: what it would do, why, and then yes or no."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.admin.edge import Edge
from foundation.admin.forms import show, valid
from foundation.admin.refusals import words_of
from foundation.errors import Invalid


class ConfirmForm(forms.Form):
    """What is asked for besides the yes: nothing, unless a subclass has fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "%s"  # the label's `for` is the field's name
        for shown in self.fields.values():
            if not isinstance(shown.widget, forms.RadioSelect):  # a list of them, no one field
                shown.widget.attrs["class"] = "decide-field"


@dataclass(frozen=True, slots=True)
class Question:
    """One page that asks: `name` is a key of `use_cases`, `back` the address to go to afterwards.

    `details` is a template that shows `context` above the form. What was chosen on the list says
    so again when it is confirmed: by which `action`, and which rows were `selected`.
    """

    name: str
    title: str
    button: str
    back: str
    explanation: str = ""
    subject: Model | None = None
    form: type[ConfirmForm] = ConfirmForm
    details: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    action: str = ""
    selected: Sequence[Model] = ()
    is_calm: bool = False


class Confirms(Edge):
    """Acts that are asked about first, all on one template."""

    @staticmethod
    def is_confirmed(request: HttpRequest) -> bool:
        """Whether somebody looked at the page and said yes; what an address says is no yes."""
        return request.POST.get("confirmed") == "yes"

    def list_page(self) -> str:
        """Return the address of the model's list."""
        return reverse(
            f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist"
        )

    def row_page(self, row: Model) -> str:
        """Return the address of the row's page."""
        return reverse(
            f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change",
            args=[row.pk],
        )

    def confirm(
        self,
        request: HttpRequest,
        question: Question,
        act: Callable[[dict[str, Any]], list[str]],
    ) -> HttpResponse:
        """Ask until it is confirmed; then `act` on the form's data, and lead back.

        `act` returns the messages that say what was done.
        A mistake in the form, or that the use case finds in it, shows the page again; any other
        refusal leads back with the refusal's words. All are recorded.
        """
        if not self.is_confirmed(request):
            return self.ask(request, question)
        form = question.form(request.POST, request.FILES)
        try:
            done = act(valid(form))
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
            outcome = self.refuse(request, question.name, error, question.subject)
            if isinstance(error, Invalid):
                if form.is_valid():
                    show(form, outcome)
                return self.ask(request, question, form)
            self.message_user(request, words_of(outcome), messages.ERROR)
        else:
            for words in done:
                self.message_user(request, words, messages.SUCCESS)
        return HttpResponseRedirect(question.back)

    def ask(
        self, request: HttpRequest, question: Question, form: ConfirmForm | None = None
    ) -> TemplateResponse:
        """Return the page that asks; with a `form` that has mistakes it shows them."""
        request.current_app = self.admin_site.name
        shown = form or question.form()
        return TemplateResponse(
            request,
            "admin/confirm.html",
            {
                **self.admin_site.each_context(request),
                "title": question.title,
                "opts": self.opts,
                "media": self.media + shown.media,
                "question": question,
                "form": shown,
                # The plain list: a filter would leave out what has changed since, without a word.
                "address": self.list_page() if question.action else "",
                "action_checkbox_name": ACTION_CHECKBOX_NAME,
                **question.context,
            },
            status=400 if form and form.errors else 200,
        )
