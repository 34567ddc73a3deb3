"""Hints to the worker, by name. A lost hint costs time, never work: the sweep finds it."""

from foundation import hints

RUN_PLANS = "revocation.run_plans"


def nudge() -> None:
    """Tell a worker that a plan has something to do."""
    hints.send(RUN_PLANS)
