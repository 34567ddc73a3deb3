"""Lists in the order that was asked for."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from typing_extensions import override


class SortFilter(OrderingFilter):
    """`?sort=-created_at,name`: by the view's `ordering_fields`, refused for any other.

    The view's `sorted_by` names the column behind a field that is kept elsewhere as well.
    """

    ordering_param = "sort"

    @override
    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Any, view: Any, request: Request
    ) -> list[str]:
        """Refuse what cannot be sorted by, rather than ignore it."""
        wanted = list(fields)
        valid = super().remove_invalid_fields(queryset, wanted, view, request)
        if len(valid) != len(wanted):
            names = sorted(set(wanted) - set(valid))
            raise ValidationError({"sort": f"It cannot be sorted by: {', '.join(names)}."})
        behind: dict[str, str] = getattr(view, "sorted_by", {})
        return [
            f"{'-' * one.startswith('-')}{behind.get(bare, bare)}"
            for one in valid
            for bare in [one.removeprefix("-")]
        ]
