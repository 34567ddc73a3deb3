"""How lists are narrowed: every filter is a WHERE, none reads rows to throw them away."""

import json
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from rest_framework.filters import BaseFilterBackend, SearchFilter
from rest_framework.request import Request
from rest_framework.settings import api_settings
from typing_extensions import override

from certificates.details import of_teams, tagged
from certificates.models import Alert, Certificate, CertificateStatus, Reason, Revocation, Version
from issuers.x509 import serials
from owners.models import Team


class CertificateFilter(django_filters.FilterSet):
    """`?status=Active&status=Expiring&issuer=issuing&expires_before=…`; the filters add up."""

    # Columns of the row itself: there is nothing to make distinct, which would sort every row.
    status = django_filters.MultipleChoiceFilter(choices=CertificateStatus.choices, distinct=False)
    issuer = django_filters.CharFilter(method="by_issuer", label="Slug or id.")
    profile = django_filters.CharFilter(method="by_profile", label="Slug or id.")
    owner = django_filters.CharFilter(method="by_owner", label="Id or name.")
    team = django_filters.CharFilter(method="by_team", label="Id or name.")
    renewal_policy = django_filters.UUIDFilter(field_name="renewal_policy")
    environment = django_filters.CharFilter()
    tag = django_filters.CharFilter(method="by_tag", label="One tag, as it is written.")
    name = django_filters.CharFilter(lookup_expr="icontains")
    common_name = django_filters.CharFilter(lookup_expr="icontains")
    san = django_filters.CharFilter(method="by_san", label="Part of a name, as example.com.")
    serial = django_filters.CharFilter(method="by_serial", label="Of any version, in any notation.")
    expires_before = django_filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="lt")
    expires_after = django_filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="gte")

    class Meta:
        model = Certificate
        fields: list[str] = []

    def by_issuer(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Of that issuer."""
        return rows.filter(_id_or("issuer", "slug", value))

    def by_profile(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Under that profile."""
        return rows.filter(_id_or("profile", "slug", value))

    def by_owner(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """That owner's."""
        return rows.filter(_id_or("owner", "name", value))

    def by_team(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """That team's, by itself or through the owner."""
        teams = Team.objects.filter(_id_or("", "name", value)).order_by()
        return rows.filter(of_teams(list(teams.values_list("pk", flat=True))))

    def by_tag(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """With that tag."""
        return rows.filter(tagged(value))

    def by_san(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """With that text in one of its names."""
        return rows.filter(sans__icontains=json.dumps(value)[1:-1])

    def by_serial(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """With a version of that serial."""
        return rows.filter(
            pk__in=Version.objects.filter(serial__in=serials.readings(value)).values("certificate")
        )


class VersionFilter(django_filters.FilterSet):
    """Versions by what identifies them, and by time."""

    issuer = django_filters.CharFilter(method="by_issuer", label="Slug or id.")
    serial = django_filters.CharFilter(method="by_serial", label="In any notation.")
    revoked = django_filters.BooleanFilter(
        field_name="revocation", lookup_expr="isnull", exclude=True
    )
    superseded = django_filters.BooleanFilter(
        field_name="superseded_at", lookup_expr="isnull", exclude=True
    )
    expires_before = django_filters.IsoDateTimeFilter(field_name="not_after", lookup_expr="lt")
    expires_after = django_filters.IsoDateTimeFilter(field_name="not_after", lookup_expr="gte")

    class Meta:
        model = Version
        fields = ["certificate", "fingerprint", "key_fingerprint", "key_algorithm"]

    def by_issuer(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Signed by that issuer."""
        return rows.filter(_id_or("issuer", "slug", value))

    def by_serial(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Of that serial, however it was written."""
        return rows.filter(serial__in=serials.readings(value))


class AlertFilter(django_filters.FilterSet):
    """Alerts by what they are about, and by whether they are over or known of."""

    kind = django_filters.MultipleChoiceFilter(choices=Alert.Kind.choices, distinct=False)
    open = django_filters.BooleanFilter(field_name="cleared_at", lookup_expr="isnull")
    acknowledged = django_filters.BooleanFilter(
        field_name="acknowledged_at", lookup_expr="isnull", exclude=True
    )
    certificate = django_filters.UUIDFilter(field_name="certificate")
    issuer = django_filters.CharFilter(method="by_issuer", label="Slug or id.")

    class Meta:
        model = Alert
        fields: list[str] = []

    def by_issuer(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """About that issuer."""
        return rows.filter(_id_or("issuer", "slug", value))


class RevocationFilter(django_filters.FilterSet):
    """Revocations by issuer, certificate, reason and time."""

    issuer = django_filters.CharFilter(method="by_issuer", label="Slug or id.")
    certificate = django_filters.UUIDFilter(field_name="version__certificate")
    serial = django_filters.CharFilter(method="by_serial", label="In any notation.")
    reason = django_filters.MultipleChoiceFilter(choices=Reason.choices, distinct=False)
    revoked_before = django_filters.IsoDateTimeFilter(field_name="revoked_at", lookup_expr="lt")
    revoked_after = django_filters.IsoDateTimeFilter(field_name="revoked_at", lookup_expr="gte")

    class Meta:
        model = Revocation
        fields: list[str] = []

    def by_serial(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Of the version of that serial, however it was written."""
        return rows.filter(version__serial__in=serials.readings(value))

    def by_issuer(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Of that issuer's versions."""
        return rows.filter(_id_or("version__issuer", "slug", value))


def _id_or(path: str, natural: str, value: str) -> Q:
    try:
        return Q(**{f"{path}__pk".removeprefix("__"): UUID(value)})
    except ValueError:
        return Q(**{f"{path}__{natural}".removeprefix("__"): value})


class SerialSearch(SearchFilter):
    """`?search=`: what is a serial in any notation finds that too, by the view's `serial_field`."""

    @override
    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        matches = super().filter_queryset(request, queryset, view)
        meant = serials.readings(request.query_params.get(self.search_param, ""))
        if not meant:
            return matches
        # By key, so that neither's joins come into the other.
        exact = queryset.filter(**{f"{view.serial_field}__in": meant})
        return queryset.filter(Q(pk__in=exact.values("pk")) | Q(pk__in=matches.values("pk")))


class IndexedSearch(SearchFilter):
    """`?search=` by the indexes that `certificates.search` knows: the view's `search_rows`.

    The view's `search_fields` say that it can be searched, and no more.
    """

    @override
    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> Any:
        typed = request.query_params.get(self.search_param, "")
        return view.search_rows(queryset, typed) if typed else queryset


def searching_by_index() -> list[type[BaseFilterBackend]]:
    """Return the filters that all lists have, with that search among them."""
    usual: Any = api_settings.DEFAULT_FILTER_BACKENDS
    return [IndexedSearch if one is SearchFilter else one for one in usual]


def searching_serials() -> list[type[BaseFilterBackend]]:
    """Return the filters that all lists have, with this search among them."""
    usual: Any = api_settings.DEFAULT_FILTER_BACKENDS  # classes by now, not their names
    return [SerialSearch if one is SearchFilter else one for one in usual]
