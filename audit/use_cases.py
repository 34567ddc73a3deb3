"""A use case: one function, one transaction, one name in the trail, also where it is refused.

    @use_case("certificate.archive", on=Certificate)
    def archive(*, certificate_id: UUID, actor: Principal) -> Certificate: ...

The decorator opens the transaction and knows the name, so what refuses the act is written as
`certificate.archive.refuse` whichever door it came through. That event cannot share the
transaction that the refusal rolls back; it is written when the outermost transaction has ended.
Whoever opened that one (an Idempotency-Key, a framework's own block) is not always a use case:
then the refusal travels on the error, and the edge that catches it calls `record_refused`.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from audit.actions import REFUSE, Action, add
from audit.models import Event
from audit.services import Entry, record_many
from audit.via import Door, Via
from foundation.errors import NotPermitted
from foundation.outcomes import Outcome, outcome_of
from foundation.preconditions import check_looked_at

P = ParamSpec("P")
R = TypeVar("R")

# Who comes by another door (MCP, EST, SCEP, an agent) may only what names that door.
PEOPLE_AND_PROGRAMS = frozenset({Door.REST, Door.ADMIN, Door.CLI, Door.SYSTEM})

# Devices, which come by their protocol's own credentials.
DEVICES = frozenset({Door.EST, Door.SCEP})

# Agents, which come by keys of their own.
AGENTS = frozenset({Door.AGENT})


class WrongDoor(NotPermitted):
    """The act exists, but not at this door."""

    code = "wrong_door"
    message = "This cannot be done through this door."


@dataclass(slots=True)
class Refused:
    """What was refused to whom: travels on the error until it is in the trail."""

    actor: Any
    action: str
    subject: models.Model | None
    via: Via | None = None
    is_recorded: bool = False


@dataclass(frozen=True, slots=True)
class UseCase:
    """A name in the trail, and the doors at which the act may be asked for."""

    action: str
    doors: frozenset[Door]


# The connections, each of one thread, on which acts are parts of the one around them.
_WHOLE: WeakSet[BaseDatabaseWrapper] = WeakSet()


@contextmanager
def whole() -> Iterator[None]:
    """Have the acts in this block stand and fall with the one around them: no savepoint of theirs.

    For where much is asked at once. What one of them refuses must leave the outer act.
    """
    connection = transaction.get_connection()
    if connection in _WHOLE or not connection.in_atomic_block:
        yield
        return
    _WHOLE.add(connection)
    try:
        yield
    finally:
        _WHOLE.discard(connection)


# Every act that there is, by its name in the trail.
USE_CASES: dict[str, UseCase] = {}


def use_case(
    action: str,
    *,
    on: type[models.Model] | None = None,
    by: str = "",
    doors: frozenset[Door] = PEOPLE_AND_PROGRAMS,
    atomic: bool = True,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a keyword-only function with an `actor` the use case `action`.

    `on` is the model that it is about: the argument `by`, or else `<model>` or `<model>_id`, says
    which row, so that the row's history shows the refusal. Raises WrongDoor for an actor who came
    by a door that is not among `doors`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        where = f"{function.__module__}.{function.__qualname__}"
        if "actor" not in inspect.signature(function).parameters:
            raise TypeError(f"{where} has no actor.")
        add(Action(action, _first_sentence(function), where))
        USE_CASES[action] = UseCase(action, doors)

        @wraps(function)
        def act(*args: P.args, **kwargs: P.kwargs) -> R:
            is_outermost = _is_outermost()
            is_part = transaction.get_connection() in _WHOLE
            try:
                with transaction.atomic(savepoint=not is_part) if atomic else nullcontext():
                    _check_door(kwargs["actor"], doors)
                    result = function(*args, **kwargs)
                    check_looked_at(kwargs["actor"], action)
                    return result
            except Exception as error:
                # What refuses a part refuses the act around it, which has the name of it all.
                is_told = is_part or is_recorded(error)
                if not is_told and _is_refusal(outcome_of(error)):
                    # One use case may call another: what was asked for is the outermost.
                    error.__dict__["refused"] = Refused(
                        kwargs["actor"], action, _subject(on, by, kwargs)
                    )
                    if is_outermost:
                        record_refused(error)
                raise

        act.__dict__["use_case"] = action
        return act

    return decorate


def name_of(function: Callable[..., Any]) -> str | None:
    """Return the name of the act that `function` is; None for what is no use case."""
    return function.__dict__.get("use_case")


def record_refused(error: BaseException) -> Event | None:
    """Write `<action>.refuse` for what `error` refused, once; None where it refused no use case.

    Call it with no transaction open, or the refusal goes the way of what it refused.
    """
    refused: Refused | None = getattr(error, "refused", None)
    if refused is None or refused.is_recorded:
        return None
    return _write(error, refused, None, {})


def record_edge_refusal(  # noqa: PLR0913 - who, what, why, which, and how a stranger came
    *,
    actor: Any,
    action: str,
    error: BaseException,
    outcome: Outcome | None = None,
    subject: models.Model | None = None,
    via: Via | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event | None:
    """Write `<action>.refuse` for what an edge refused, unless a use case has refused it: once.

    `action` is the use case that was asked for. An edge has this to say where none was entered: a
    missing permission, a malformed body, an unknown row. `actor` is None for whoever is not
    authenticated; `via` then says how they came. `outcome` is for what only one door can read.
    """
    if getattr(error, "refused", None) is not None:
        return record_refused(error)
    error.__dict__["refused"] = refused = Refused(actor, action, subject, via)
    return _write(error, refused, outcome, data or {})


def _write(
    error: BaseException, refused: Refused, outcome: Outcome | None, data: Mapping[str, Any]
) -> Event | None:
    outcome = outcome or outcome_of(error)
    if outcome is None or not _is_refusal(outcome):
        return None
    told = {"code": outcome.code, "status": outcome.status, "detail": outcome.detail, **data}
    action = f"{refused.action}{REFUSE}"
    entry = Entry(refused.actor, action, refused.subject, told, via=refused.via)
    refused.is_recorded = True
    return record_many([entry])[0]


def _is_refusal(outcome: Outcome | None) -> bool:
    # Whom a busy or absent database turned away was refused nothing, and the trail stands in it.
    return outcome is not None and outcome.status != HTTPStatus.SERVICE_UNAVAILABLE


def is_recorded(error: BaseException) -> bool:
    """Whether the trail already says what `error` refused."""
    refused: Refused | None = getattr(error, "refused", None)
    return refused is not None and refused.is_recorded


def _first_sentence(function: Callable[..., Any]) -> str:
    # "Make a team; raises NameTaken." is for who calls it; the trail's list says what it does.
    words = (inspect.getdoc(function) or "").partition("\n")[0]
    return f"{words.partition('; raises')[0].rstrip('.')}."


def _check_door(actor: Any, doors: frozenset[Door]) -> None:
    if actor.via.door not in doors:
        raise WrongDoor


def _is_outermost() -> bool:
    # A test's own transaction is none of ours: Django's `durable` looks past it in the same way.
    blocks = transaction.get_connection().atomic_blocks
    return all(block._from_testcase for block in blocks)  # noqa: SLF001


def _subject(on: type[models.Model] | None, by: str, given: dict[str, Any]) -> models.Model | None:
    if on is None:
        return None
    name = str(on._meta.model_name)  # noqa: SLF001 - Django's public name for it
    row = next((given[key] for key in (by, name, f"{name}_id") if given.get(key)), None)
    if row is None or isinstance(row, models.Model):
        return row
    try:
        return on._default_manager.filter(pk=row).first()  # noqa: SLF001
    except (ValueError, TypeError, ValidationError):
        return None  # no key at all, such as "not-a-uuid"
