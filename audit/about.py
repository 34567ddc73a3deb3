"""What an event is about, besides its subject: the certificate and whoever answers for it.

A row offers it by having `about()`; this app knows none of them.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from uuid import UUID


@dataclass(frozen=True, slots=True)
class About:
    """The certificate and the owner that a row belongs to; None where there is none."""

    certificate: UUID | None = None
    owner: UUID | None = None


@runtime_checkable
class TellsAbout(Protocol):
    """A row that belongs to a certificate or an owner, or is one."""

    def about(self) -> About:
        """Return the two keys."""


def about(row: Any) -> About:
    """Return what `row` is about; nothing for one that does not say."""
    return row.about() if isinstance(row, TellsAbout) else About()
