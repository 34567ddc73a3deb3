"""What is deleted or switched off is called by its name first: a slip of the hand types none.

One row is named; of several the number is typed. What depends on them is listed, for whoever may
look at that. A wrong name changes nothing, says so, and is in the trail.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from foundation.admin.confirms import ConfirmForm, Confirms, Question
from foundation.admin.parts import Fact, how_many

DETAILS = "admin/named.html"
_NAMES = ("slug", "username", "name", "path", "prefix")


def name_of(row: Model) -> str:
    """Return what somebody types to mean `row`: its name where it has one, else how it reads."""
    named = (str(getattr(row, column, "")).strip() for column in _NAMES)
    return next((name for name in named if name), str(row))


def named_form(rows: Sequence[Model], base: type[ConfirmForm] = ConfirmForm) -> type[ConfirmForm]:
    """Return `base` with the name of the row to be typed, or how many rows there are."""
    name = name_of(rows[0]) if len(rows) == 1 else str(len(rows))
    label = "Its name" if len(rows) == 1 else "How many"

    class Form(base):  # type: ignore[valid-type,misc]  # which form only the caller says
        confirm_name = forms.CharField(
            label=label, max_length=300, help_text=f"Type it to confirm: {name}"
        )

        def clean_confirm_name(self) -> str:
            typed: str = self.cleaned_data["confirm_name"]
            if typed.strip() != name:
                raise forms.ValidationError(
                    f"Nothing was changed: type {name} to confirm.", code="wrong_name"
                )
            return typed

        def clean(self) -> Any:
            data = super().clean() or self.cleaned_data
            data.pop("confirm_name", None)  # it is no argument of a use case
            return data

    form: type[ConfirmForm] = Form
    return form


def called(rows: Sequence[Model]) -> str:
    """Return the one row's name, or "3 API keys"."""
    meta = rows[0]._meta  # noqa: SLF001 - Django's public name for it
    return str(rows[0]) if len(rows) == 1 else f"{len(rows)} {meta.verbose_name_plural}"


def depends_on(request: HttpRequest, rows: Sequence[Model]) -> list[Fact]:
    """Return how many rows of which tables refer to one of `rows`, where this person may look."""
    facts = []
    for relation in rows[0]._meta.related_objects:  # noqa: SLF001 - Django's public name for it
        model = relation.related_model
        meta = model._meta  # noqa: SLF001 - likewise
        if not request.user.has_perm(f"{meta.app_label}.view_{meta.model_name}"):
            continue
        refers = model._default_manager.filter(  # noqa: SLF001 - likewise
            **{f"{relation.field.name}__in": [row.pk for row in rows]}
        )
        if refers[:1].exists():
            label = str(meta.verbose_name_plural)
            facts.append(Fact(f"{label[:1].upper()}{label[1:]}", how_many(refers)))
    return facts


class Names(Confirms):
    """Acts that take the name of what they are about."""

    def confirm_named(
        self,
        request: HttpRequest,
        question: Question,
        rows: Sequence[Any],
        act: Callable[[dict[str, Any]], list[str]],
    ) -> HttpResponse:
        """Ask for the name of `rows`, listing what depends on them; then `act`, as `confirm`."""
        return self.confirm(request, self.named(request, question, rows), act)

    def named(self, request: HttpRequest, question: Question, rows: Sequence[Any]) -> Question:
        """Return `question` with the name to be typed, and what depends on the rows."""
        return replace(
            question,
            form=named_form(rows, question.form),
            details=DETAILS,
            context={
                "named": rows if len(rows) > 1 else (),
                "depends": depends_on(request, rows),
                **question.context,
            },
        )

    def switch_off(
        self,
        request: HttpRequest,
        name: str,
        rows: Sequence[Any],
        explanation: str,
        act: Callable[[], None],
    ) -> HttpResponse | None:
        """Have chosen rows switched off by the list's action `name`, which says what became."""
        if not rows:
            return None
        question = Question(
            name=name,
            title=f"Disable {called(rows)}",
            explanation=explanation,
            button="Disable",
            subject=rows[0] if len(rows) == 1 else None,
            back=self.list_page(),
            action=name,
            selected=rows,
        )

        def off(_: dict[str, Any]) -> list[str]:
            act()
            return []

        return self.confirm_named(request, question, rows, off)
