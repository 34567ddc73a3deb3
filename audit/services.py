"""Write to the audit trail, and prove it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from django.db import OperationalError, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from audit.about import about
from audit.actions import check
from audit.changes import plain
from audit.models import FORMAT, GENESIS, ChainHead, Event
from audit.via import Via
from foundation.errors import Conflict
from foundation.statements import Given, Rows, insert_all, update

if TYPE_CHECKING:
    from owners.models import Principal

ANONYMOUS = "anonymous"
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL; SQLite has no row that could be locked
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be written: who did what to which row, and what changed."""

    actor: "Principal | None"
    action: str
    subject: models.Model | None = None
    data: dict[str, Any] = field(default_factory=dict)
    actor_name: str = ""
    via: Via | None = None


def record(
    *, actor: "Principal", action: str, subject: models.Model | None = None, **data: Any
) -> Event:
    """Write one event in the caller's transaction; without it the change must not happen.

    `action` stands on the closed list (audit.actions), or UnknownAction is raised. `data` says what
    changed in JSON values (audit.changes gives before and after), and never holds a secret.
    The chain's head stays locked until the caller commits, so call this after taking every other
    lock (audit is the last in the lock order). In a block of `gathered` it is locked at its end.
    """
    return record_many([Entry(actor, action, subject, data)])[0]


def record_unknown(*, name: str, action: str, via: Via, **data: Any) -> Event:
    """Write an event of somebody who is no authenticated principal: a bad key, or nobody."""
    return record_many([Entry(None, action, None, data, actor_name=name or ANONYMOUS, via=via)])[0]


def record_many(entries: Iterable[Entry]) -> list[Event]:
    """Write several events with one step of the chain: one lock, one insert."""
    waiting = _GATHERED.get(transaction.get_connection())
    if waiting is not None:
        kept = [_event(entry) for entry in entries]
        waiting.extend((event, _mark()) for event in kept)
        return kept
    with transaction.atomic():
        head = _locked_head()  # before the events are made, which may read what others change
        return _chain(head, [_event(entry) for entry in entries])


@contextmanager
def gathered() -> Iterator[None]:
    """Write what is recorded in the block with one step of the chain, when the block ends.

    For an act of many steps that many do at once: the head is held from the end of the block to
    the commit, and not from the first event on. Nobody else's events come between these. An event
    has its place, its time and its hash when the block has ended. What a savepoint took back is
    not told. Only inside a transaction; a block within another one is part of that.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Events are gathered in a transaction.")
    if connection in _GATHERED:
        yield
        return
    waiting: list[tuple[Event, Callable[[], None]]] = []
    _GATHERED[connection] = waiting
    try:
        yield
    finally:
        del _GATHERED[connection]
    standing = {hook for _, hook, _ in connection.run_on_commit}
    events = [event for event, mark in waiting if mark in standing]
    if events:
        _chain(_locked_head(), events)


# What is gathered on a connection, which is one thread's: each event with its mark.
_GATHERED: WeakKeyDictionary[BaseDatabaseWrapper, list[tuple[Event, Callable[[], None]]]] = (
    WeakKeyDictionary()
)


def _mark() -> Callable[[], None]:
    """Return what Django forgets when the savepoint that is open now is rolled back."""

    def mark() -> None:
        return None

    transaction.on_commit(mark)
    return mark


def _chain(head: ChainHead, events: list[Event]) -> list[Event]:
    now = timezone.now()
    sequence, previous = head.sequence, head.hash
    for event in events:
        sequence += 1
        event.sequence, event.at, event.previous_hash = sequence, now, previous
        event.hash = previous = event.digest()
    insert_all(events)
    head.sequence, head.hash = sequence, previous
    update(head, ["sequence", "hash"])
    return events


class Busy(Conflict):
    """Somebody else holds the row just now."""

    code = "busy"
    message = "Somebody is changing this just now: try again."


def lock_to_delete(rows: "models.QuerySet[Row]", pk: Any) -> "Row":
    """Lock the trail, and then the row that is to be deleted; deletions alone go this way round.

    The database checks foreign keys at the commit: whoever refers to a row locks it then, with
    the trail in hand. A deletion that held the row and waited for the trail would wait in a ring
    with them. Nor may it wait for the row: whoever changes that waits for the trail. Call it in a
    transaction. Raises Busy, or DoesNotExist.
    """
    _locked_head()
    try:
        with transaction.atomic():
            return rows.select_for_update(nowait=True).get(pk=pk)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise Busy from None


_HEAD: Rows[ChainHead] = Rows(
    lambda: ChainHead.objects.select_for_update(no_key=True).filter(pk=Given("pk", ChainHead))
)


def _locked_head() -> ChainHead:
    head = _HEAD.first(pk=1)
    if head is None:
        # Only ever on an empty installation; a lost race leaves the winner's row to lock.
        ChainHead.objects.bulk_create([ChainHead(pk=1)], ignore_conflicts=True)
        head = _HEAD.get(pk=1)
    return head


def _event(entry: Entry) -> Event:
    check(entry.action)
    via = entry.via or (entry.actor.via if entry.actor else Via())
    subject = entry.subject
    whose = about(subject)
    data = dict(entry.data)
    if via.client_request_id:
        data["client_request_id"] = via.client_request_id
    if via.client:
        data["client"] = via.client
    return Event(
        format=FORMAT,
        actor=entry.actor,
        actor_name=entry.actor_name or (entry.actor.get_username() if entry.actor else ANONYMOUS),
        api_key=via.api_key,
        door=via.door.value,
        action=entry.action,
        subject_type=subject._meta.label_lower if subject is not None else "",  # noqa: SLF001 - Django's public name for it
        subject_id=str(subject.pk) if subject is not None else "",
        subject_name=str(subject)[:255] if subject is not None else "",
        certificate=whose.certificate,
        owner=whose.owner,
        data=plain(data),
        request_id=via.request_id,
        remote_address=via.remote_address,
    )


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold, and why."""

    sequence: int
    why: str


def verify(*, batch: int = 2000) -> tuple[int, Broken | None]:
    """Walk the whole chain; return how many events hold, and the first broken link if any."""
    # Read first, so that events written while we walk do not look like a broken head.
    head = ChainHead.objects.filter(pk=1).first() or ChainHead(pk=1)
    previous, count, at_head = GENESIS, 0, GENESIS
    for event in _in_order(batch):
        expected = count + 1
        if event.sequence != expected:
            return count, Broken(expected, f"event {expected} is missing")
        if event.previous_hash != previous:
            return count, Broken(event.sequence, "it does not continue its predecessor")
        if event.digest() != event.hash:
            return count, Broken(event.sequence, "its contents were changed")
        previous, count = event.hash, event.sequence
        if count == head.sequence:
            at_head = previous
    if at_head != head.hash:
        return count, Broken(count + 1, "the chain's head says that later events existed")
    return count, None


def _in_order(batch: int) -> Iterator[Event]:
    # By key rather than by a server-side cursor: SQLite must not hold a read open for long.
    last = None
    while True:
        rows = Event.objects.order_by("sequence")
        page = list((rows if last is None else rows.filter(sequence__gt=last))[:batch])
        yield from page
        if len(page) < batch:
            return
        last = page[-1].sequence
