"""Rows that a service deletes, one or several, each for itself."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import model_ngettext
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from foundation.admin.edge import Edge
from foundation.admin.refusals import unsay


class Deletes(Edge):
    """Deletions through a service, which alone says what may go."""

    def delete_row(self, request: HttpRequest, row: Any) -> None:
        """Call the service that deletes `row`."""
        raise NotImplementedError

    @override
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except Exception:
            unsay(request)  # AdminRefusals says why
            raise

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
    if request.POST.get("post"):
        model_admin.delete_queryset(request, queryset)
        return None
    page: HttpResponse | None = delete_selected(model_admin, request, queryset)
    return page
