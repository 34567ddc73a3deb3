"""The audit trail: append-only, gapless, chained, and in the change's own transaction."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import services
from audit.models import ChainHead, Event
from audit.services import Entry, record, record_many
from owners.models import Owner, Principal, Team


def test_an_event_says_who_what_and_to_which_row(alice, owner):
    event = record(actor=alice, action="owner.update", subject=owner, changes={"name": "x"})

    stored = Event.objects.get(pk=event.pk)
    assert (stored.actor, stored.actor_name, stored.action) == (alice, "alice", "owner.update")
    assert (stored.subject_type, stored.subject_id) == ("owners.owner", str(owner.pk))
    assert stored.data == {"changes": {"name": "x"}}


def test_the_sequence_starts_at_one_and_has_no_gap(alice):
    for _ in range(3):
        record(actor=alice, action="x")
    record_many([Entry(alice, "y"), Entry(alice, "z")])

    sequences = list(Event.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_rolled_back_change_leaves_no_event_and_no_gap(alice):
    before = Event.objects.count()

    with transaction.atomic():
        record(actor=alice, action="lost")
        transaction.set_rollback(True)
    record(actor=alice, action="kept")

    assert Event.objects.count() == before + 1
    assert services.verify() == (before + 1, None)


def test_a_change_without_its_event_does_not_happen(carol, monkeypatch):
    from owners import services as owner_services  # noqa: PLC0415

    def broken(*args, **kwargs):
        raise DatabaseError("the trail cannot be written")

    monkeypatch.setattr(owner_services, "record", broken)

    with pytest.raises(DatabaseError):
        owner_services.save_team(actor=carol, name="red")

    assert not Team.objects.filter(name="red").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET action = 'forged'",
        "DELETE FROM audit_event",
        "UPDATE audit_event SET sequence = sequence + 100",
    ],
)
def test_the_database_refuses_to_change_events(alice, statement):
    record(actor=alice, action="x")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)

    assert Event.objects.filter(action="x").exists()


def test_the_database_refuses_to_truncate_events(alice):
    if connection.vendor == "sqlite":
        statement = "DELETE FROM audit_event"  # SQLite has no TRUNCATE; this is its form of it.
    else:
        statement = "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE audit_event CASCADE"
    record(actor=alice, action="x")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_orm_cannot_change_events_either(alice):
    event = record(actor=alice, action="x")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        event.delete()


# --- Proving it -----------------------------------------------------------------------------


def forge(statement, *params):
    """Do what an attacker with the database's own password could: switch the triggers off."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table with checks that wait for the commit cannot be altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        else:
            cursor.execute("DROP TRIGGER audit_event_no_update")
            cursor.execute("DROP TRIGGER audit_event_no_delete")
        cursor.execute(statement, params)
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")


@pytest.fixture
def trail(alice):
    """Five events more."""
    return [record(actor=alice, action=f"step.{n}", n=n) for n in range(5)]


def test_an_untouched_trail_holds(trail):
    assert services.verify() == (trail[-1].sequence, None)


def test_verify_reads_in_batches(trail):
    assert services.verify(batch=2) == (trail[-1].sequence, None)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "innocent"),
        ("actor_name", "mallory"),
        ("api_key", "another"),
        ("door", "admin"),
        ("subject_name", "another"),
        ("request_id", "another"),
        ("data", '{"n": 7}'),
        ("certificate", "0" * 32),
        ("owner", "0" * 32),
        ("format", 1),
        ("format", None),
    ],
)
def test_an_edited_event_shows(trail, column, value):
    statement = f"UPDATE audit_event SET {column} = %s WHERE sequence = %s"  # noqa: S608
    forge(statement, value, trail[2].sequence)

    _, broken = services.verify()

    assert broken is not None
    assert broken.sequence == trail[2].sequence
    assert "changed" in broken.why


@pytest.fixture
def old_event(trail):
    """An event as release 0.1 wrote it: of no format, about nobody."""
    head = ChainHead.objects.get()
    event = Event(
        sequence=head.sequence + 1,
        at=trail[-1].at,
        actor_name="alice",
        door="rest",
        action="x",
        data={"n": 1},
        previous_hash=head.hash,
    )
    event.hash = event.digest()
    event.save(force_insert=True)
    ChainHead.objects.update(sequence=event.sequence, hash=event.hash)
    return event


def test_an_event_of_the_first_format_holds_and_its_hash_is_what_it_was(old_event):
    assert services.verify() == (old_event.sequence, None)
    covered = {
        "sequence": old_event.sequence,
        "at": old_event.at.isoformat(timespec="microseconds"),
        "actor": None,
        "actor_name": "alice",
        "api_key": "",
        "door": "rest",
        "action": "x",
        "subject_type": "",
        "subject_id": "",
        "subject_name": "",
        "data": {"n": 1},
        "request_id": "",
        "remote_address": None,
        "previous_hash": old_event.previous_hash,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"))
    assert old_event.hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("column", ["certificate", "owner"])
def test_nobody_puts_an_old_event_on_a_certificate_or_an_owner(old_event, column):
    statement = f"UPDATE audit_event SET {column} = %s WHERE sequence = %s"  # noqa: S608
    forge(statement, "0" * 32, old_event.sequence)

    _, broken = services.verify()

    assert broken.sequence == old_event.sequence


def test_an_event_that_was_edited_with_its_hash_shows_at_the_next(trail):
    edited = trail[2]
    edited.actor_name = "mallory"
    forge(
        "UPDATE audit_event SET actor_name = %s, hash = %s WHERE sequence = %s",
        edited.actor_name,
        edited.digest(),
        edited.sequence,
    )

    count, broken = services.verify()

    assert (count, broken.sequence) == (edited.sequence, trail[3].sequence)
    assert "does not continue" in broken.why


def test_a_moved_time_shows(trail):
    moved = trail[2].at - timedelta(days=1)
    forge("UPDATE audit_event SET at = %s WHERE sequence = %s", moved, trail[2].sequence)

    _, broken = services.verify()

    assert broken.sequence == trail[2].sequence


def test_a_removed_event_shows(trail):
    forge("DELETE FROM audit_event WHERE sequence = %s", trail[2].sequence)

    _, broken = services.verify()

    assert broken.sequence == trail[2].sequence
    assert "missing" in broken.why


def test_a_cut_tail_shows(trail):
    forge("DELETE FROM audit_event WHERE sequence >= %s", trail[3].sequence)

    count, broken = services.verify()

    assert count == trail[2].sequence
    assert "later events existed" in broken.why


def test_the_command_reports_the_first_broken_link(trail):
    forge("UPDATE audit_event SET action = 'x' WHERE sequence >= %s", trail[1].sequence)

    with pytest.raises(CommandError, match=f"broken at event {trail[1].sequence}"):
        call_command("audit_verify")


def test_the_command_says_that_the_trail_holds(trail):
    out = StringIO()

    call_command("audit_verify", stdout=out)

    assert f"holds: {trail[-1].sequence} event(s)" in out.getvalue()


# --- Many writers ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_make_one_gapless_chain():
    names = [f"writer-{n}" for n in range(6)]
    people = [Principal.objects.create(username=name) for name in names]

    def write(principal):
        try:
            for n in range(10):
                with transaction.atomic():
                    Owner.objects.create(name=f"{principal.username}-{n}")
                    record(actor=principal, action="owner.create", n=n)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(write, people))

    assert Event.objects.filter(action="owner.create").count() == 60
    assert services.verify() == (Event.objects.count(), None)
    assert ChainHead.objects.get().sequence == Event.objects.count()


@pytest.mark.django_db(transaction=True)
def test_the_very_first_events_may_race():
    people = [Principal.objects.create(username=f"writer-{n}") for n in range(4)]

    def write(principal):
        try:
            record(actor=principal, action="first")
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(write, people))

    assert services.verify() == (4, None)


# --- Bounds of its rows ---------------------------------------------------------------------


def test_a_long_name_is_cut_to_what_the_trail_keeps(alice):
    event = record(actor=alice, action="x", subject=Owner(name="o" * 300))

    assert event.subject_name == "o" * 255


def test_there_is_one_head(alice):
    record(actor=alice, action="x")

    with pytest.raises(DatabaseError), transaction.atomic():
        ChainHead.objects.create(pk=2)
