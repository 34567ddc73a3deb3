"""What the lists of devices' doors can be narrowed by; everything is done in the database."""

import django_filters

from certificates.models import Certificate
from enrollment.models import Credential, Device, Enrollment, Label
from enrollment.models.enrollments import EnrollmentQuerySet
from enrollment.states import Stand


class DeviceFilter(django_filters.FilterSet):
    """`?label=…&name=…&blocked=true`."""

    label = django_filters.ModelChoiceFilter(queryset=Label.objects.all())
    name = django_filters.CharFilter()
    announced = django_filters.BooleanFilter()
    blocked = django_filters.BooleanFilter("blocked_at", "isnull", exclude=True)

    class Meta:
        model = Device
        fields: list[str] = []


class CredentialFilter(django_filters.FilterSet):
    """`?label=…&device=…&spent=false&blocked=false`."""

    label = django_filters.ModelChoiceFilter(queryset=Label.objects.all())
    device = django_filters.ModelChoiceFilter(queryset=Device.objects.all())
    prefix = django_filters.CharFilter()
    one_time = django_filters.BooleanFilter()
    spent = django_filters.BooleanFilter("spent_on", "isnull", exclude=True)
    blocked = django_filters.BooleanFilter("disabled_at", "isnull", exclude=True)

    class Meta:
        model = Credential
        fields: list[str] = []


class EnrollmentFilter(django_filters.FilterSet):
    """`?label=…&device=…&certificate=…&anchor=…&outcome=Waiting&created_after=…`."""

    label = django_filters.ModelChoiceFilter(queryset=Label.objects.all())
    device = django_filters.ModelChoiceFilter(queryset=Device.objects.all())
    certificate = django_filters.ModelChoiceFilter(queryset=Certificate.objects.all())
    anchor = django_filters.CharFilter()
    outcome = django_filters.ChoiceFilter(choices=Stand.choices, method="by_outcome")
    created_after = django_filters.IsoDateTimeFilter("created_at", "gte")
    created_before = django_filters.IsoDateTimeFilter("created_at", "lt")

    class Meta:
        model = Enrollment
        fields: list[str] = []

    def by_outcome(self, rows: EnrollmentQuerySet, name: str, value: str) -> EnrollmentQuerySet:
        """By what became of them."""
        return rows.standing(value)
