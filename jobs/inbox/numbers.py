"""How many decisions wait for one person, kept a short while: every page of the admin shows it."""

import uuid
from collections.abc import Callable

from django.core.cache import cache
from django.db import transaction

from jobs.inbox.parting import SLICE, Parted, page, parted
from jobs.models import Job
from jobs.states import Move, Status
from owners.models import Principal

MOST = 99  # more are not counted
LOOKED_AT = (
    3 * SLICE
)  # jobs behind the first SLICE; whoever may decide on none of so many reads the page
KEPT = 20  # seconds: for what is asked for meanwhile, and for changes of people
_SINCE = "inbox:since"  # changes with each decision


def number_for(actor: Principal, *, first: Callable[[], Parted] | None = None) -> str:
    """Return how many jobs `actor` may decide, as the badge shows it: "7", "99+", "" for none.

    Two reads of the cache, or what it asks to look through the most urgent. `first` gives the most
    urgent parted, where the page shows those too.
    """
    since = cache.get(_SINCE, "")
    key = f"inbox:{actor.pk}"
    kept: tuple[str, str] | None = cache.get(key)
    if kept is not None and kept[0] == since:
        return kept[1]
    words = _counted(actor, first() if first else parted(actor=actor))
    cache.set(key, (since, words), KEPT)
    return words


def forget(job: Job, move: Move, actor: Principal) -> None:
    """Have everybody's number counted anew once `move`, which has a job wait no longer, stands."""
    if Status.AWAITING_APPROVAL in {*move.sources, move.target}:
        transaction.on_commit(lambda: cache.set(_SINCE, uuid.uuid4().hex, 2 * KEPT))


def _counted(actor: Principal, first: Parted) -> str:
    count, behind = len(first.to_decide), first.last
    if behind is not None and count <= MOST:
        further = page(actor=actor, after=behind, size=MOST - count + 1, looked_at=LOOKED_AT)
        count, behind = count + len(further.jobs), further.behind
    if count > MOST:
        return f"{MOST}+"
    return f"{count}+" if behind is not None and count else str(count or "")
