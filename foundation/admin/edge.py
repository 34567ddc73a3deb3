"""A model's admin as an edge: its use cases by name, and what comes of a refusal."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from typing_extensions import override
from unfold.admin import ModelAdmin

from foundation.admin.refusals import act_of, chosen_action, record, refusal_of, words_of
from foundation.outcomes import Outcome

Row = TypeVar("Row", bound=Model)
R = TypeVar("R")


class Edge(ModelAdmin):
    """A model's admin that names the use case behind each of its pages and actions.

    `use_cases` says under which name in the trail each act is refused: "add", "change" and
    "delete" are Django's own pages, all others the names of actions.
    """

    use_cases: ClassVar[Mapping[str, str]] = {}

    @override
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django leaves an action that one may not choose out of the list, and says that none was.
        chosen = chosen_action(request)
        if act_of(chosen) in self.use_cases and chosen not in self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def use_case_of(self, request: HttpRequest, name: str) -> str:
        """Return the use case behind the page or action `name`, a key of `use_cases`."""
        return self.use_cases[name]

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row that an action's page is about; raises Http404."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def refuse(
        self, request: HttpRequest, name: str, error: Exception, subject: Model | None = None
    ) -> Outcome:
        """Record that `name` was refused, and return what to say of it; raises what nobody foresaw.

        `name` is a key of `use_cases`. Call it with no transaction open.
        """
        outcome = refusal_of(error)
        if outcome is None:
            raise error
        record(request, action=self.use_case_of(request, name), error=error, subject=subject)
        return outcome

    def each(
        self, request: HttpRequest, name: str, rows: Iterable[Row], act: Callable[[Row], R]
    ) -> list[tuple[Row, R]]:
        """Do `act` to each row for itself; return what was done, say and record what was refused.

        `name` is a key of `use_cases`.
        """
        done = []
        for row in rows:
            try:
                done.append((row, act(row)))
            except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
                words = words_of(self.refuse(request, name, error, row))
                self.message_user(request, f"{row}: {words}", messages.ERROR)
        return done


class ReadOnly(Edge):
    """Rows that machines write: nobody adds, edits or deletes them by hand."""

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @override
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @override
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
