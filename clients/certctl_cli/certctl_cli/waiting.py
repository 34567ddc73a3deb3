"""Waiting for a job: told on the way, through restarts of the server, with an end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from certctl_cli import output
from certctl_cli.errors import Problem, Stop
from certctl_cli.exits import Exit

if TYPE_CHECKING:  # start-up
    from certctl_cli.api import Api

LONGEST = 3600.0  # seconds, unless said
_PAUSES = (0.3, 0.5, 1.0, 2.0)  # seconds; then the last one again and again
_ENDS = {"Completed", "Failed", "Cancelled"}


@dataclass(frozen=True, slots=True)
class Clock:
    """What waiting needs of time."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def wait(
    api: "Api", job: dict[str, Any], *, longest: float = LONGEST, clock: Clock | None = None
) -> dict[str, Any]:
    """Return the job once it is Completed.

    Raises Stop: FAILED for one that failed, REFUSED for one that was rejected or cancelled or where
    the key is no longer good, WAITING where it takes more than `longest` seconds. A server that is
    away is waited for as long.
    """
    clock = clock or Clock()
    ends = clock.now() + longest
    shown = ""
    away = Away()
    for number in range(1_000_000_000):
        line = state(job)
        if line != shown:
            output.say(line)
            shown = line
        if job["status"] in _ENDS:
            return _ended(job)
        if clock.now() >= ends:
            break
        try:
            clock.sleep(min(_PAUSES[min(number, len(_PAUSES) - 1)], max(ends - clock.now(), 0)))
            job = _seen(api, job, away)
        except KeyboardInterrupt:
            output.say(f"The job goes on without you. Wait again: certctl wait {job['id']}")
            raise
    raise Stop(
        f"It is not done after {longest:g} seconds: {state(job)}.",
        Exit.WAITING,
        hint=f"It goes on without you. Wait again: certctl wait {job['id']}",
    )


@dataclass(slots=True)
class Away:
    """What was last told of a server that is away: each thing is told once."""

    told: str = ""


def _seen(api: "Api", job: dict[str, Any], away: Away) -> dict[str, Any]:
    try:
        seen: dict[str, Any] = api.get(f"jobs/{job['id']}/")
    except Problem as problem:
        if problem.exit_code == Exit.REFUSED:
            raise Stop(
                f"While waiting: {problem.message}",
                Exit.REFUSED,
                hint=f"The job {job['id']} goes on without you.",
            ) from problem
        if problem.exit_code != Exit.FAILED:
            raise
        return job
    except Stop as stop:
        if stop.exit_code != Exit.FAILED:
            raise
        if stop.message != away.told:
            output.say(f"{stop.message} Waiting for it.")
            away.told = stop.message
        return job
    away.told = ""
    return seen


def state(job: dict[str, Any]) -> str:
    """Return where a job stands, in a line for people."""
    waits = job.get("waiting_for")
    why = f". {(waits['detail'] or waits['what']).rstrip('.')}" if waits else ""
    return f"{job['kind']} of {job['certificate_name']}: {job['status']}{why}"


def _ended(job: dict[str, Any]) -> dict[str, Any]:
    decision = job.get("decision")
    if job["status"] == "Completed":
        return job
    if job["status"] == "Failed":
        raise Stop(
            f"It failed: {job['last_error'] or job['error_code']}",
            hint=f"Try again, if that is mended: certctl retry {job['id']}",
        )
    if decision and not decision["digest"]:
        raise Stop(f"{decision['by']} rejected it: {decision['reason']}", Exit.REFUSED)
    raise Stop("It was cancelled.", Exit.REFUSED)
