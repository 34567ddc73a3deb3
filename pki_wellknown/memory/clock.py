"""A clock that nobody sets and no pause stops: how old a confirmation is."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds since the machine's start, its sleep included where the system can tell."""
    return time.clock_gettime(_CLOCK)
