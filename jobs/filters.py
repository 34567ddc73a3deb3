"""What job lists can be narrowed by; everything is done in the database."""

import django_filters

from certificates.models import Certificate
from deployments.models import Agent, Target
from jobs.models import Job
from jobs.states import Status
from owners.models import Principal


class JobFilter(django_filters.FilterSet):
    """`?status=AwaitingApproval&status=Pending&kind=Renewal&created_after=…`."""

    status = django_filters.MultipleChoiceFilter(choices=Status.choices, distinct=False)
    kind = django_filters.MultipleChoiceFilter(choices=Job.Kind.choices, distinct=False)
    certificate = django_filters.ModelChoiceFilter(queryset=Certificate.objects.all())
    target = django_filters.ModelChoiceFilter(queryset=Target.objects.all())
    agent = django_filters.ModelChoiceFilter(queryset=Agent.objects.all())
    requested_by = django_filters.ModelChoiceFilter(queryset=Principal.objects.all())
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    scheduled_after = django_filters.IsoDateTimeFilter(field_name="scheduled_at", lookup_expr="gte")
    scheduled_before = django_filters.IsoDateTimeFilter(field_name="scheduled_at", lookup_expr="lt")

    class Meta:
        model = Job
        fields: list[str] = []
