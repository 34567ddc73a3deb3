"""What the trail says of callers whom nobody knows: little, so that they cannot fill it.

One event a minute and address, whatever was refused and whatever it was tried with: a wrong key, a
wrong password, no key at all. The next event says in `data.left_out` how many there were besides.
That a name or a key is locked out is told beside that, as often at most.
"""

from typing import Any

from audit.services import record_unknown
from audit.via import Via
from foundation.rates import block_of, left_out

ONCE_A_MINUTE = 60
REFUSALS, LOCK_OUTS = "stranger", "lock-out"


def may_tell(via: Via, kind: str = REFUSALS) -> dict[str, int] | None:
    """Return what to add to an event's data, or None where this one is not told but counted."""
    count = left_out(kind, block_of(via.remote_address), ONCE_A_MINUTE)
    if count is None:
        return None
    return {"left_out": count} if count else {}


def tell(*, action: str, via: Via, kind: str = REFUSALS, name: str = "", **data: Any) -> None:
    """Write what was refused to a stranger, or count it; `name` is the name of a key of ours."""
    more = may_tell(via, kind)
    if more is not None:
        record_unknown(name=name, action=action, via=via, **data, **more)
