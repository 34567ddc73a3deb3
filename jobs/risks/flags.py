"""The flags of jobs that would sign something, made of what is read for all of them together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from foundation.errors import CertctlError
from jobs import approvals
from jobs.approvals.warnings import OVER, named
from jobs.kinds import kind_of
from jobs.kinds.base import KeyOf
from jobs.models import Job
from jobs.risks import elsewhere
from jobs.risks.usual import Usual, usual_of

MANY_NAMES = 10  # as many are read at a glance; more are flagged
# A lifetime is longer than usual by more than a tenth: clocks and rounding are none of it.
LONGER = 1.1
# Warnings that are risks as they stand.
_WARNED = {
    "after_revocation": "after_revocation",
    "key_signed": "same_key",
    "csr_asked": "key_asked",
    "key_asked": "key_asked",
}


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is risky: its stable code, and a sentence for people."""

    code: str
    words: str


def flags_of(jobs: Sequence[Job]) -> Mapping[UUID, tuple[Flag, ...]]:
    """Return the flags of those of `jobs` that have any, by key, the gravest first.

    Only what would sign something and is not over has any. The jobs come with certificate, its
    current version and its profile. Eight queries, however many jobs there are, and one more for
    each further hundred domains or profiles among them.
    """
    signing = [job for job in jobs if kind_of(job).signs and job.status not in OVER]
    if not signing:
        return {}
    warned = approvals.coded(signing)
    seen = elsewhere.seen_of(signing)
    usual = usual_of(job.certificate.profile_id for job in signing)
    flags = {
        job.pk: tuple(
            _flags(job, warned.get(job.pk, ()), seen, usual.get(job.certificate.profile_id))
        )
        for job in signing
    }
    return {key: some for key, some in flags.items() if some}


def _flags(
    job: Job,
    warned: Sequence[tuple[str, str]],
    seen: elsewhere.Seen,
    usual: Usual | None,
) -> Iterator[Flag]:
    key = key_of(job)
    yield from _of_names(job, seen)
    yield from _of_key(job, key, seen, usual)
    yield from (Flag(_WARNED[code], words) for code, words in warned if code in _WARNED)
    yield from _of_lifetime(job, usual)
    if (asked := seen.asked.get(job.certificate_id)) is not None:
        yield Flag("name_asked", f"Another open request is for {named(*asked)} too.")
    # A device enrolls as its label's principal, for which the first says nothing of the device.
    if not job.device and job.requested_by_id in seen.first_timers:
        who = job.requested_by.get_username()
        yield Flag("first_of_requester", f"Nothing that {who} asked for was ever issued before.")


def _of_names(job: Job, seen: elsewhere.Seen) -> Iterator[Flag]:
    names = job.certificate.sans
    wild = [name for name in names if name.partition(":")[2].startswith("*.")]
    if wild:
        more = f", and {len(wild) - 1} more like it" if len(wild) > 1 else ""
        name = wild[0].partition(":")[2]
        yield Flag("wildcard", f"A wildcard: {name} stands for every name in its place{more}.")
    for foreign in seen.foreign.get(job.certificate_id, ()):
        more = f"; so are {foreign.more} more of its domains" if foreign.more else ""
        yield Flag(
            "foreign_domain",
            f"It is for a name under {foreign.domain}, where {foreign.owner} has a live "
            f"certificate, {foreign.certificate}{more}.",
        )
    if len(names) > MANY_NAMES:
        yield Flag("many_names", f"It is for {len(names)} names; more than {MANY_NAMES} are many.")


def _of_key(job: Job, key: KeyOf, seen: elsewhere.Seen, usual: Usual | None) -> Iterator[Flag]:
    other = seen.same_key.get(job.pk)
    if other:
        yield Flag("same_key", f"Its key is that of {other}, which is live.")
    if not key.algorithm:
        return
    mine, current = (key.algorithm, key.size), job.certificate.current
    if current is not None and mine != (current.key_algorithm, current.key_size):
        before = key_words(current.key_algorithm, current.key_size)
        yield Flag("new_key_algorithm", f"Its key is {key_words(*mine)}; until now it is {before}.")
    elif current is None and usual is not None and mine not in usual.keys:
        yield Flag(
            "new_key_algorithm",
            f"Its key is {key_words(*mine)}; usual under its profile is "
            f"{key_words(*usual.keys[0])}.",
        )


def _of_lifetime(job: Job, usual: Usual | None) -> Iterator[Flag]:
    asked = job.lifetime or job.certificate.profile.max_lifetime
    current = job.certificate.current
    if usual is not None:
        known, whose = usual.lifetime, "usual under its profile is"
    elif current is not None:
        known, whose = current.not_after - current.not_before, "until now it is"
    else:
        return
    if asked > known * LONGER:
        words = f"{approvals.in_words(asked)}; {whose} {approvals.in_words(known)}"
        yield Flag("longer_lifetime", f"It would live for {words}.")


def key_of(job: Job) -> KeyOf:
    """Return the key that `job` is about; an empty one where its request cannot be read."""
    try:
        return kind_of(job).key(job)
    except CertctlError:
        return KeyOf()


def key_words(algorithm: str, size: int | None) -> str:
    """Return a key's algorithm for people: "rsa 2048", "ecdsa-p256"."""
    return f"{algorithm} {size}" if size and str(size) not in algorithm else algorithm
