"""What is risky about what is asked for, flagged for whoever decides on it.

A flag keeps a job from being decided on together with others; nothing is refused for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from jobs.kinds import kind_of
from jobs.models import Job

MANY = 10  # names


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is risky: its stable code, and a sentence for people."""

    code: str
    words: str


def flags_of(jobs: Sequence[Job]) -> Mapping[UUID, tuple[Flag, ...]]:
    """Return the flags of those of `jobs` that have any, by key."""
    flags = {job.pk: tuple(_of(job)) for job in jobs if kind_of(job).signs}
    return {key: some for key, some in flags.items() if some}


def _of(job: Job) -> Iterator[Flag]:
    names = job.certificate.sans
    wild = [name for name in names if "*" in name]
    if wild:
        yield Flag("wildcard", f"{wild[0]} stands for any name.")
    if len(names) > MANY:
        yield Flag("many_names", f"It is for {len(names)} names.")
