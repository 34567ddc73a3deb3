"""Where a plan stands, what may happen to it, and what became of each of its versions.

Previewed, it is confirmed (and runs), stopped, or expires; running, it is paused and resumed,
stopped, or completed. What is stopped, completed or expired changes nothing any more.
"""

from enum import Enum

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a plan stands; the values are API."""

    PREVIEWED = "Previewed"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    EXPIRED = "Expired"


ENDED = (Status.STOPPED, Status.COMPLETED, Status.EXPIRED)


class Move(Enum):
    """What can happen to a plan: the statuses that it may leave, the one that it enters, words."""

    CONFIRM = (Status.PREVIEWED,), Status.RUNNING, "be confirmed"
    PAUSE = (Status.RUNNING,), Status.PAUSED, "be paused"
    RESUME = (Status.PAUSED,), Status.RUNNING, "go on"
    STOP = (Status.PREVIEWED, Status.RUNNING, Status.PAUSED), Status.STOPPED, "be stopped"
    COMPLETE = (Status.RUNNING,), Status.COMPLETED, "be completed"
    EXPIRE = (Status.PREVIEWED,), Status.EXPIRED, "expire"

    def __init__(self, sources: tuple[Status, ...], target: Status, words: str) -> None:
        self.sources = sources
        self.target = target
        self.words = words


class Outcome(TextChoices):
    """What became of one version; empty while nothing has."""

    REVOKED = "revoked", "revoked"
    ALREADY_REVOKED = "already_revoked", "already revoked"
    FAILED = "failed", "failed"
    LEFT = "left", "left as it was"


class Unproven(TextChoices):
    """What happens at the deadline to what is not proven replaced."""

    REVOKE = "revoke", "revoke it all the same"
    LEAVE = "leave", "leave it as it is"


class Replacement(TextChoices):
    """How far the replacement of one version is; empty where the plan wants none."""

    WANTED = "wanted", "not asked for yet"
    ASKED = "asked", "asked for"
    ISSUED = "issued", "issued, not in place yet"
    PROVEN = "proven", "in place"
    FAILED = "failed", "not possible"
