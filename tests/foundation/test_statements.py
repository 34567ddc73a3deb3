"""Statements that are made once: the same rows and the same writes as Django's own."""

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from certificates.models import Certificate, RenewalPolicy
from foundation.statements import Given, Rows, insert, locked, update
from owners.models import Owner, Team
from tests.factories import CertificateFactory

pytestmark = pytest.mark.django_db

NAMED = Rows(
    lambda: (
        Certificate.objects.filter(name=Given("name", models.CharField()))
        .select_related("owner", "team")
        .order_by("pk")
    )
)


def test_the_rows_are_those_that_the_queryset_gives_for_each_value():
    certificates = [CertificateFactory(name=name) for name in ("a", "b", "a")]

    assert {row.pk for row in NAMED.all(name="a")} == {certificates[0].pk, certificates[2].pk}
    assert NAMED.get(name="b") == certificates[1]
    assert NAMED.first(name="c") is None
    with pytest.raises(Certificate.DoesNotExist):
        NAMED.get(name="c")


def test_a_row_has_every_column_and_what_was_read_along():
    certificate = CertificateFactory(name="a", sans=["dns:a.demo.internal"], tags=["x"])
    with CaptureQueriesContext(connection) as statements:
        row = NAMED.get(name="a")
        assert (row.owner, row.team) == (certificate.owner, certificate.team)

    assert len(statements) == 1
    for field in Certificate._meta.concrete_fields:
        assert getattr(row, field.attname) == getattr(
            Certificate.objects.get(pk=row.pk), field.attname
        )


def test_what_is_given_is_a_value_and_no_statement():
    CertificateFactory(name="a")

    assert NAMED.all(name="' OR 1=1 --") == []
    assert NAMED.all(name="%s") == []


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_in_a_transaction_only():
    certificate = CertificateFactory()
    with transaction.atomic():
        assert locked(Certificate, certificate.pk) == certificate
    if connection.vendor == "postgresql":
        with pytest.raises(transaction.TransactionManagementError):
            locked(Certificate, certificate.pk)


def test_a_row_is_inserted_and_changed_as_django_would():
    policy = RenewalPolicy(name="yearly", alert_days=[30, 7])
    insert(policy)
    assert not policy._state.adding
    assert RenewalPolicy.objects.get(pk=policy.pk).alert_days == [30, 7]

    policy.name, policy.max_attempts = "monthly", 7
    update(policy, ["name"])
    assert RenewalPolicy.objects.values_list("name", "max_attempts").get(pk=policy.pk) == (
        "monthly",
        3,
    )
    update(policy)
    assert RenewalPolicy.objects.get(pk=policy.pk).max_attempts == 7


def test_a_row_that_is_gone_is_not_changed():
    with pytest.raises(Team.DoesNotExist):
        update(Team(name="nobody"), ["name"])


def test_only_whole_rows_are_asked_for():
    counted = Rows(lambda: Owner.objects.annotate(count=models.Count("certificates")))

    with pytest.raises(TypeError, match="whole rows"):
        counted.all()
