"""What somebody expects a row to be like: looked at under the row's lock, where it counts.

An edge that was told of it (REST's If-Match) puts an Expectation into how the actor came
(`actor.via.expects`), and the use case passes the row that it has locked through `as_expected`:

    team = as_expected(actor, Team.objects.select_for_update(no_key=True).get(pk=team_id))

A look before the act proves nothing: two who expect the same would both be right, and the second
would undo what the first has done. It is no argument of each use case, for it authorises nothing:
it only ever refuses. What is expected and was never looked at stops the act (`check_looked_at`), so
that a use case which forgets is a mistake that shows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models

from foundation.errors import PreconditionFailed

Row = TypeVar("Row", bound=models.Model)


@dataclass(slots=True, eq=False)
class Expectation:
    """That `is_met` says so of one row, when the use case `act` has locked it."""

    model: type[models.Model]
    pk: Any
    act: str
    is_met: Callable[[], bool]  # reads the row anew
    is_looked_at: bool = False

    def is_about(self, row: models.Model) -> bool:
        """Whether `row` is the one."""
        return isinstance(row, self.model) and str(row.pk) == str(self.pk)


class NotLookedAt(RuntimeError):
    """A use case has not passed the row that it changes through `as_expected`."""


def as_expected(actor: Any, row: Row) -> Row:
    """Return `row`, which the caller has just locked and not changed; raises PreconditionFailed."""
    expected: Expectation | None = actor.via.expects
    if expected is None or expected.is_looked_at or not expected.is_about(row):
        return row
    if not expected.is_met():
        raise PreconditionFailed
    expected.is_looked_at = True  # what comes after is our own change
    return row


def check_looked_at(actor: Any, act: str) -> None:
    """Raise NotLookedAt where `act` was to look at what is expected, and ends without."""
    expected: Expectation | None = actor.via.expects
    if expected is not None and expected.act == act and not expected.is_looked_at:
        raise NotLookedAt(f"{act} locked no {expected.model.__name__} {expected.pk}.")
