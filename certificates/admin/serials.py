"""Searching by serial in the admin, in whatever notation somebody has it."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from typing_extensions import override

from foundation.admin import Edge
from issuers.x509 import serials


class SearchesSerials(Edge):
    """A list whose search finds a serial with colons, spaces, 0x, in capitals or in decimal."""

    serial_field: ClassVar[str] = "serial"

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        matches, has_doubles = super().get_search_results(request, queryset, search_term)
        meant = serials.readings(search_term)
        if not meant:
            return matches, has_doubles
        # By key, so that neither's joins come into the other.
        exact = queryset.filter(**{f"{self.serial_field}__in": meant}).order_by()
        either = Q(pk__in=exact.values("pk")) | Q(pk__in=matches.order_by().values("pk"))
        return queryset.filter(either), False
