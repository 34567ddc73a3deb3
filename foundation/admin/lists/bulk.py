"""Acts on many rows that were chosen on a list: a page that shows them and asks, then an outcome.

Each row is an act of its own on the use case that its page calls, with its own transaction, its
own refusal and its own place in the trail. At most MOST_ROWS at once, of which the page says so:
"all that match" never means more than was shown.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from foundation.admin.confirms import ConfirmForm, Confirms, Question
from foundation.admin.forms import show, valid
from foundation.admin.refusals import words_of
from foundation.errors import Invalid

MOST_ROWS = 500
# What one press may take: a front waits 60 s. What is left is said to be left.
BUDGET = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Many:
    """An act on many rows: `name` is a key of `use_cases`, and the name of the action.

    `now` says of a row what it has of that which is changed; `act` does it to one row with the
    form's data and says in words what came of it.
    """

    name: str
    title: str
    button: str
    heading: str
    now: Callable[[Any], str]
    act: Callable[[Any, dict[str, Any]], str]
    form: type[ConfirmForm] = ConfirmForm
    explanation: str = ""
    check: Callable[[dict[str, Any]], None] = field(default=lambda data: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    row: Model
    words: str
    is_done: bool
    address: str


class ActsOnMany(Confirms):
    """A list whose chosen rows can be acted on at once."""

    def chosen_of(self, request: HttpRequest, rows: QuerySet[Any]) -> list[Any] | None:
        """Return the rows that were chosen; None, with a word about it, where they are too many."""
        chosen = list(rows[: MOST_ROWS + 1])
        if len(chosen) > MOST_ROWS:
            words = f"These are more than {MOST_ROWS}: narrow the list, or choose fewer."
            self.message_user(request, words, messages.ERROR)
            return None
        return chosen

    def act_on_many(
        self, request: HttpRequest, rows: QuerySet[Any], many: Many
    ) -> HttpResponse | None:
        """Show what would be acted on until it is confirmed; then act, and show what came of it."""
        chosen = self.chosen_of(request, rows)
        if chosen is None:
            return None
        question = Question(
            name=many.name,
            title=many.title,
            explanation=many.explanation,
            button=f"{many.button} ({len(chosen)})",
            is_calm=True,
            form=many.form,
            details="admin/lists/chosen.html",
            context={
                "heading": many.heading,
                "chosen": [(row, many.now(row), self.row_page(row)) for row in chosen],
            },
            action=many.name,
            selected=chosen,
            back=self.list_page(),
        )
        if not self.is_confirmed(request):
            return self.ask(request, question)
        form = question.form(request.POST)
        try:
            data = valid(form)
            many.check(data)
        except Invalid as error:
            outcome = self.refuse(request, many.name, error)
            if form.is_valid():
                show(form, outcome)
            return self.ask(request, question, form)
        return self._outcome(request, many, self._act(request, many, chosen, data))

    def _act(
        self, request: HttpRequest, many: Many, chosen: Sequence[Any], data: dict[str, Any]
    ) -> list[Outcome]:
        until, outcomes = time.monotonic() + BUDGET, []
        for row in chosen:
            is_done = False
            if time.monotonic() > until:
                words = "Not done: this took too long. Choose what is left again."
            else:
                try:
                    words, is_done = many.act(row, dict(data)), True
                except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
                    words = words_of(self.refuse(request, many.name, error, row))
            outcomes.append(Outcome(row, words, is_done, self.row_page(row)))
        return outcomes

    def _outcome(
        self, request: HttpRequest, many: Many, outcomes: Sequence[Outcome]
    ) -> HttpResponse:
        done = sum(one.is_done for one in outcomes)
        return self.render_page(
            request,
            "admin/lists/outcome.html",
            status=HTTPStatus.OK,
            title=many.title,
            opts=self.opts,
            media=self.media,
            outcomes=sorted(outcomes, key=lambda one: one.is_done),
            done=done,
            refused=len(outcomes) - done,
            back=self.list_page(),
        )
