"""How many statements an enrollment takes; its events are one step of the chain an act."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import ChainHead, Event
from audit.services import gathered, record, verify
from tests.enrollment.conftest import DEVICE
from tests.fixtures import make_csr

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(est, label, secret_for):
    """Ask for the same; the statements that it took."""
    made, csr = secret_for(label), make_csr(DEVICE)

    def ask():
        with CaptureQueriesContext(connection) as statements:
            answer = est.ask("simpleenroll", csr, secret=made.text)
        assert answer.status_code == 200
        return [one["sql"] for one in statements]

    return ask


def test_an_enrollment_takes_no_more_statements_than_it_did(asked):
    # On PostgreSQL; SQLite has no shared locks. Raise it only with a reason, and lower it gladly.
    assert len(asked()) <= 27


def test_the_same_again_takes_few_statements_and_writes_nothing(asked):
    asked()
    before = Event.objects.count()

    assert len(asked()) <= 15
    assert Event.objects.count() == before


def test_a_first_certificate_and_its_job_are_written_once(asked):
    statements = asked()

    for table in ("certificates_certificate", "jobs_job"):
        assert sum(sql.startswith(f'INSERT INTO "{table}"') for sql in statements) == 1
        assert not any(sql.startswith(f'UPDATE "{table}"') for sql in statements)


def test_the_head_is_stepped_once_for_each_act_and_not_for_each_event(asked):
    before = Event.objects.count()
    steps = [sql for sql in asked() if sql.startswith('UPDATE "audit_chainhead"')]

    # Asked, claimed, completed and collected are one act where nothing waits.
    assert len(steps) == 1
    assert Event.objects.count() - before == 7


def test_what_is_gathered_is_a_chain_that_holds(asked, system):
    asked()
    with transaction.atomic(), gathered():
        for number in range(3):
            record(actor=system, action="device.create", number=number)
        assert not Event.objects.filter(data__number__isnull=False).exists()

    assert list(
        Event.objects.filter(data__number__isnull=False)
        .order_by("sequence")
        .values_list("data__number", flat=True)
    ) == [0, 1, 2]
    assert verify() == (Event.objects.count(), None)


def fails(act):
    """Do something in a transaction, or a savepoint, that is rolled back."""

    @transaction.atomic
    def undone():
        act()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()


def test_what_a_savepoint_took_back_is_not_told(system):
    with transaction.atomic(), gathered():
        record(actor=system, action="device.create", number=1)
        fails(lambda: record(actor=system, action="device.create", number=2))
        record(actor=system, action="device.create", number=3)

    numbers = Event.objects.filter(action="device.create").order_by("sequence")
    assert [event.data["number"] for event in numbers] == [1, 3]
    assert verify()[1] is None


def test_nothing_is_told_where_the_act_fails(system):
    before = ChainHead.objects.filter(pk=1).values_list("sequence", flat=True).first()
    fails(gathered()(lambda: record(actor=system, action="device.create", number=1)))

    assert not Event.objects.filter(action="device.create").exists()
    assert ChainHead.objects.filter(pk=1).values_list("sequence", flat=True).first() == before
    with transaction.atomic():  # and what is recorded afterwards is written at once
        assert record(actor=system, action="device.create", number=2).sequence


def test_blocks_in_one_another_are_one_step(system):
    with transaction.atomic(), CaptureQueriesContext(connection) as statements, gathered():
        record(actor=system, action="device.create", number=1)
        with gathered():
            record(actor=system, action="device.create", number=2)
    steps = [one for one in statements if one["sql"].startswith('UPDATE "audit_chainhead"')]

    assert len(steps) == 1


@pytest.mark.django_db(transaction=True)
def test_events_are_gathered_in_a_transaction_only():
    with pytest.raises(transaction.TransactionManagementError), gathered():
        pass
