"""Who may decide on a job, and who may cancel it: plain predicates that fail closed.

Separation of duties: whoever gains from a job does not approve it, under any alias. A principal
is the same whatever API key or login it uses, so that part needs no rule; what is left are the
owner record (by membership, e-mail or name), the team seats, and a second principal of the same
person. What cannot be told (no owner, no requester) is refused.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db.models import QuerySet

import certificates.policy
from certificates.models import Certificate, Version
from foundation.errors import NotPermitted
from jobs.kinds import kind_of
from jobs.models import InvalidMove, Job
from jobs.states import Move, Status
from owners.models import Owner, Principal, Team
from owners.persons import Persons

DECIDE = "jobs.decide_job"
CANCEL = "jobs.cancel_job"
Answering: TypeAlias = tuple[Owner, Team | None]
_STRICTER: list[Callable[[Certificate], bool]] = []
# Who answers for certificates, asked of many by their ids.
AnsweringFor: TypeAlias = Callable[[Collection[UUID]], Mapping[UUID, Sequence[Answering]]]
_ANSWERING: list[AnsweringFor] = []
_HOLDING: list[Callable[[UUID], None]] = []
_BY_GROUPS = "django.contrib.auth.backends.ModelBackend"


class MayNotDecide(NotPermitted):
    """Deciding needs a living principal with the permission; the system decides nothing."""

    code = "missing_permission"
    message = f"This needs the permission {DECIDE}."


class SelfApproval(NotPermitted):
    """Separation of duties: whoever gains from a job does not approve it."""

    code = "self_approval"
    message = (
        "You asked for this job, brought its key or answer for its certificate, so somebody else "
        "must approve it."
    )


class SelfRejection(NotPermitted):
    """Separation of duties: whoever asked for a job cancels it; rejecting is for others."""

    code = "self_rejection"
    message = "You asked for this job, so somebody else must decide; you can cancel it instead."


class NotYours(NotPermitted):
    """Cancelling is for the requester, the owner and operators."""

    code = "not_yours"
    message = (
        "Only who asked for a job, who answers for its certificate, or an operator cancels it."
    )


def has_wait(rule: Callable[[Certificate], bool]) -> None:
    """Have the next version of a certificate wait for approval where `rule` says so, too.

    For apps above, whose rules are not known here; a profile's approval nobody takes away so.
    """
    _STRICTER.append(rule)


def waits_for_others(certificate: Certificate) -> bool:
    """Whether an app above has the next version of `certificate` wait, whoever asks for it."""
    return any(rule(certificate) for rule in _STRICTER)


def has_answering(rule: AnsweringFor, *, hold: Callable[[UUID], None]) -> None:
    """Have those whom `rule` names answer for certificates beside their own owners and teams.

    For apps above: it only ever keeps somebody from deciding. `hold` has what `rule` reads stay as
    it is until the commit; it takes the certificate's id, before its job is locked.
    """
    _ANSWERING.append(rule)
    _HOLDING.append(hold)


def hold_others(certificate_id: UUID) -> None:
    """Hold what apps above say of a certificate until the commit; before the job, in lock order."""
    for hold in _HOLDING:
        hold(certificate_id)


def answering(certificate: Certificate) -> Iterator[Answering]:
    """Yield who answers for a certificate: its own owner and team first."""
    yield certificate.owner, certificate.team
    yield from others_answering(certificate)


def others_answering(certificate: Certificate) -> Iterator[Answering]:
    """Yield who answers for a certificate by what apps above say, read anew."""
    yield from others_answering_for([certificate.pk]).get(certificate.pk, ())


def others_answering_for(certificates: Collection[UUID]) -> dict[UUID, list[Answering]]:
    """Return who answers for certificates by what apps above say, by id; each asked once."""
    pairs: dict[UUID, list[Answering]] = {}
    for rule in _ANSWERING:
        for certificate, answering_there in rule(certificates).items():
            pairs.setdefault(certificate, []).extend(answering_there)
    return pairs


class Reads:
    """What the rules below rest on, read afresh for each question: what decides asks this one.

    Whoever looks at many jobs, only to show them, reads it for all of them first (jobs.inbox).
    """

    def answer(self, actor: Principal, certificate: Certificate) -> bool:
        """Whether `actor` is of an owner or a team that answers for the certificate."""
        return any(certificates.policy.answers_for(actor, *pair) for pair in answering(certificate))

    def with_key(self, fingerprint: str) -> Iterable[Version]:
        """Return every version of a key, with whoever brought it."""
        return with_key(fingerprint)

    def there_at(self, moment: datetime) -> Iterable[Principal]:
        """Return who was a principal at `moment`."""
        return Principal.objects.filter(date_joined__lte=moment)


_AFRESH = Reads()


def may_decide_at_all(actor: Principal) -> bool:
    """Whether `actor` is somebody who decides on jobs, whichever the job."""
    return (
        actor.pk is not None
        and actor.is_active
        and actor.kind != Principal.Kind.SYSTEM
        and actor.has_perm(DECIDE)
    )


def asked_for(actor: Principal, job: Job) -> bool:
    """Whether `actor` asked for the job, or gave its CSR.

    Also as another principal of the same e-mail address.
    """
    if job.requested_by_id is None or actor.pk is None:
        return True
    askers = (job.requested_by, job.csr_by)
    return any(asker is not None and actor.is_same_person(asker) for asker in askers)


def brought_key(actor: Principal, job: Job, *, reads: Reads = _AFRESH) -> bool:
    """Whether `actor` brought the key that the job is about, or asked for it to be certified.

    Whatever certificate that was for: whoever holds a key gains from all that is signed for it,
    and from its deployment, whoever asks. Of a version whose origin nobody knows everybody
    brought the key who was a principal then.
    """
    fingerprint = kind_of(job).key(job).fingerprint
    return bool(fingerprint) and any(
        _may_have_brought(actor, version, reads) for version in reads.with_key(fingerprint)
    )


def who_brought(job: Job) -> set[UUID]:
    """Return those who brought the key that `job` is about, by their ids, where known."""
    fingerprint = kind_of(job).key(job).fingerprint
    if not fingerprint:
        return set()
    pairs = with_key(fingerprint).values_list("requested_by", "csr_by")
    return {one for pair in pairs for one in pair if one is not None}


def with_key(fingerprint: str) -> QuerySet[Version]:
    """Return every version of the key, with whoever brought it."""
    return Version.objects.filter(key_fingerprint=fingerprint).select_related(
        "requested_by", "csr_by"
    )


def answers_for(
    actor: Principal, certificate: Certificate | None, *, reads: Reads = _AFRESH
) -> bool:
    """Whether `actor` is among those who answer for the certificate: of an owner, or a team."""
    if certificate is None or certificate.owner_id is None or actor.pk is None:
        return True
    return reads.answer(actor, certificate)


def gains(actor: Principal, job: Job, *, reads: Reads = _AFRESH) -> bool:
    """Whether `actor` asked for `job`, brought its key or answers for its certificate."""
    return (
        asked_for(actor, job)
        or brought_key(actor, job, reads=reads)
        or answers_for(actor, job.certificate, reads=reads)
    )


def check_may_approve(actor: Principal, job: Job) -> None:
    """Raise where `actor` may not approve `job`: MayNotDecide, InvalidMove, SelfApproval.

    A wrong state is a conflict and never a matter of permission, so it is told first, but only
    to somebody who decides on jobs at all.
    """
    _check_decider(actor, job, Move.APPROVE)
    if gains(actor, job):
        raise SelfApproval


def lacks_decider(job: Job) -> bool:
    """Whether `job` waits for a decision, or will, and nobody may take it as things stand.

    Nobody is who is a human, active, decides on jobs at all, and is not kept out by what
    `check_may_approve` asks. What is asked there of one is read here once for all of them: the
    number of queries does not rise with the number of people.
    """
    waits = job.status in (Status.AWAITING_CSR, Status.AWAITING_APPROVAL)
    if not waits or not kind_of(job).needs_approval(job, job.certificate):
        return False
    return next(deciders(job), None) is None


def who_decide_at_all() -> QuerySet[Principal]:
    """Return the humans who decide on jobs, whichever the job."""
    people: QuerySet[Principal] = Principal.objects.with_perm(DECIDE, backend=_BY_GROUPS)
    return people.filter(kind=Principal.Kind.HUMAN)


def deciders(job: Job, *, among: Iterable[Principal] | None = None) -> Iterator[Principal]:
    """Yield the humans who may approve `job` as things stand, of `among` where that is given.

    `among` are some of `who_decide_at_all`, which is read once for many jobs so.
    """
    gaining = _gaining(job)
    people = who_decide_at_all().iterator() if among is None else among
    yield from (one for one in people if not gaining(one))


def check_may_reject(actor: Principal, job: Job) -> None:
    """Raise where `actor` may not reject `job`: MayNotDecide, InvalidMove, SelfRejection.

    An owner who did not ask may say no to what others want for their certificate.
    """
    _check_decider(actor, job, Move.REJECT)
    if asked_for(actor, job):
        raise SelfRejection


def check_may_cancel(actor: Principal, job: Job) -> None:
    """Raise where `actor` may not cancel `job`: NotYours, InvalidMove.

    Who asked or owns may cancel whatever their role, but not with a key that is capped below it.
    """
    if not actor.is_active or actor.kind == Principal.Kind.SYSTEM or _is_capped(actor, CANCEL):
        raise NotYours
    theirs = actor.pk is not None and (
        actor.pk == job.requested_by_id
        or actor.has_perm(CANCEL)
        or job.certificate.owner.is_answered_by(actor)
        or _has_seat(actor, job.certificate)
    )
    if not theirs:
        raise NotYours
    check_state(job, Move.CANCEL)


def check_state(job: Job, move: Move) -> None:
    """Raise InvalidMove where the job's status does not allow `move`."""
    if not job.allows(move):
        raise InvalidMove(job, move)


def _may_have_brought(actor: Principal, version: Version, reads: Reads) -> bool:
    known = [one for one in (version.requested_by, version.csr_by) if one is not None]
    # Who came later, as nobody who was there before, cannot have.
    suspects = known or reads.there_at(version.created_at)
    return any(actor.is_same_person(one) for one in suspects)


def _gaining(job: Job) -> Callable[[Principal], bool]:
    """Return who may not approve `job`: asked_for, brought_key and answers_for in one."""
    certificate = job.certificate
    if job.requested_by_id is None or certificate.owner_id is None:
        return lambda one: True
    people = Persons(_who_gains(job))
    are_owners = [owner.including() for owner, _ in answering(certificate)]
    return lambda one: (
        people.include(one.pk, one.email) or any(is_owner(one) for is_owner in are_owners)
    )


def _who_gains(job: Job) -> Iterator[tuple[UUID, str]]:
    askers = (job.requested_by, job.csr_by)
    yield from ((one.pk, one.email) for one in askers if one is not None)
    for _, team in answering(job.certificate):
        if team is not None:
            yield from team.members.values_list("pk", "email")
    fingerprint = kind_of(job).key(job).fingerprint
    unknown = []
    for version in with_key(fingerprint) if fingerprint else ():
        known = [one for one in (version.requested_by, version.csr_by) if one is not None]
        yield from ((one.pk, one.email) for one in known)
        if not known:
            unknown.append(version.created_at)
    if unknown:
        suspects = Principal.objects.filter(date_joined__lte=max(unknown))
        yield from suspects.values_list("pk", "email")


def _has_seat(actor: Principal, certificate: Certificate) -> bool:
    """Whether this very principal has a seat in the certificate's team."""
    return certificate.team is not None and certificate.team.members.filter(pk=actor.pk).exists()


def _is_capped(actor: Principal, permission: str) -> bool:
    """Whether the key that `actor` came with withholds a permission that the principal has."""
    return not actor.has_perm(permission) and super(Principal, actor).has_perm(permission)


def _check_decider(actor: Principal, job: Job, move: Move) -> None:
    if not may_decide_at_all(actor):
        raise MayNotDecide
    check_state(job, move)
