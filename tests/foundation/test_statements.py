"""Statements that are made once: the same rows and the same writes as Django's own."""

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext

from certificates.models import Certificate, RenewalPolicy
from foundation.statements import (
    Given,
    Rows,
    _numbered,
    insert,
    insert_all,
    locked,
    update,
    written_once,
)
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


def test_a_row_that_is_made_and_changed_in_one_act_is_written_once_as_it_is_at_the_end():
    with transaction.atomic(), CaptureQueriesContext(connection) as statements, written_once():
        policy = RenewalPolicy(name="yearly")
        insert(policy)
        policy.name = "monthly"
        update(policy, ["name"])
        assert not RenewalPolicy.objects.filter(pk=policy.pk).exists()

    said = [one["sql"].split()[0] for one in statements]
    assert said.count("INSERT") == 1
    assert "UPDATE" not in said
    assert RenewalPolicy.objects.get(pk=policy.pk).name == "monthly"


def test_a_row_of_before_is_changed_at_once_within_such_an_act():
    policy = RenewalPolicy.objects.create(name="yearly")
    with transaction.atomic(), written_once():
        insert(RenewalPolicy(name="other"))
        policy.name = "monthly"
        update(policy, ["name"])
        assert RenewalPolicy.objects.get(pk=policy.pk).name == "monthly"


def test_an_act_that_fails_writes_none_of_its_rows_and_the_next_insert_is_written_at_once():
    @transaction.atomic
    @written_once()
    def fails():
        insert(RenewalPolicy(name="yearly"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not RenewalPolicy.objects.filter(name="yearly").exists()

    insert(RenewalPolicy(name="yearly"))
    assert RenewalPolicy.objects.filter(name="yearly").exists()


@pytest.mark.django_db(transaction=True)
def test_rows_wait_in_a_transaction_only():
    with pytest.raises(transaction.TransactionManagementError), written_once():
        pass


def test_holes_become_numbers_and_a_doubled_percent_sign_stays_one():
    assert _numbered("SELECT %s, '100 %%', %s") == "SELECT $1, '100 %', $2"


def test_rows_with_many_values_are_inserted_in_one_statement():
    policies = [RenewalPolicy(name=f"p{number} 100 %s") for number in range(12)]
    insert_all(policies)

    kept = RenewalPolicy.objects.filter(pk__in=[one.pk for one in policies])
    assert {one.name for one in kept} == {one.name for one in policies}
