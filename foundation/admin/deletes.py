"""Rows that a service deletes, one or several, each for itself, once they are called by name."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import model_ngettext, unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from foundation.admin.confirms import ConfirmForm, Question
from foundation.admin.forms import valid
from foundation.admin.named import Names, called
from foundation.admin.refusals import unsay
from foundation.errors import Invalid


class Deletes(Names):
    """Deletions through a service, which alone says what may go."""

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        """Call the service that deletes `row`."""
        raise NotImplementedError

    @override
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_delete_permission(request, row):
            asked = self._ask(request, [row])
            if asked is not None:
                return asked
        try:
            return super().delete_view(request, object_id, extra_context)
        except Exception:
            unsay(request)  # AdminRefusals says why
            raise

    def _ask(self, request: HttpRequest, rows: Sequence[Any], action: str = "") -> Any:
        """Return the page that asks for the name; None once that is typed."""
        _rows, _counts, lacking, protected = self.get_deleted_objects(rows, request)
        barring = [*protected, *(f"{name}: you may not delete those" for name in lacking)]
        question = self.named(
            request,
            Question(
                name="delete",
                title=f"Delete {called(rows)}",
                explanation="It is gone for good: only the audit trail keeps what it was.",
                button="Delete",
                subject=rows[0] if len(rows) == 1 else None,
                back=self.list_page(),
                action=action,
                selected=rows if action else (),
                context={"is_deletion": True, "barring": barring},
            ),
            rows,
        )
        if not request.POST.get("post"):
            return self.ask(request, question)
        form: ConfirmForm = question.form(request.POST)
        try:
            valid(form)
        except Invalid as error:
            self.refuse(request, "delete", error, question.subject)
            return self.ask(request, question, form)
        return None

    @override
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.delete_row(request, obj)

    @override
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        deleted = self.each(request, "delete", queryset, lambda row: self.delete_row(request, row))
        if deleted:
            words = model_ngettext(self.opts, len(deleted))
            self.message_user(request, f"Deleted {len(deleted)} {words}.", messages.SUCCESS)

    @override
    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # The page before shows what stands in the way. Who confirms it all the same, or because
        # that came meanwhile, is refused by the service, in its words and in the trail.
        if request.method == "POST" and request.POST.get("post"):
            return [], {}, set(), []
        related, counts, lacking, protected = super().get_deleted_objects(objs, request)
        # What is protected is not to be deleted, so that permission is not what is missing.
        return related, counts, set() if protected else lacking, protected

    @override
    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            actions["delete_selected"] = (_delete_selected, *actions["delete_selected"][1:])
        return actions

    @override
    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return []  # the audit trail is the log


def _delete_selected(
    model_admin: Deletes, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    # Django's own says that all are gone, also those that the service kept.
    rows = list(queryset)
    if not rows:
        return None
    page: HttpResponse | None = model_admin._ask(request, rows, "delete_selected")  # noqa: SLF001
    if page is None:
        model_admin.delete_queryset(request, queryset)
    return page
