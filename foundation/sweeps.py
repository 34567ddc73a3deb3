"""How a function becomes a sweep: one decorator for what every one of them needs."""

import functools
from collections.abc import Callable

from celery import shared_task
from django.conf import settings

from foundation.coalesced import Coalesced


def sweep(
    name: str, *, most: int = 1, rest_seconds: float | None = None
) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Make a function the worker's task `name`, however many messages ask for it.

    Bounds are those of `Coalesced`. Without `rest_seconds` a run answers for the messages of
    SWEEP_REST_SECONDS after it: they piled up behind it. What is asked for by hints gives 0.
    """
    rest = settings.SWEEP_REST_SECONDS if rest_seconds is None else rest_seconds

    def made(work: Callable[[], int]) -> Callable[[], int]:
        once = Coalesced(work, most=most, rest_seconds=rest)

        @functools.wraps(work)
        def entry() -> int:
            return once()

        task: Callable[[], int] = shared_task(name=name)(entry)
        return task

    return made
