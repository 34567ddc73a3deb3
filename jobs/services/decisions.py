"""Approve, reject, cancel: the decisions of people, each under the job's row lock."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

import owners.policy
from audit.use_cases import use_case
from audit.via import Door
from certificates import signers
from certificates.models import Certificate
from foundation.errors import Conflict, FieldError, Invalid
from jobs import approvals, policy, queue, risks
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.services.common import call_off, lock_to_decide
from jobs.states import Move
from owners.models import Principal

MAX_REASON = 2000


class ChangedSinceShown(Conflict):
    """What the decider saw is not what would be approved now."""

    code = "changed_since_shown"
    message = "What this job would do has changed since it was shown: look at it again."


class Flagged(Conflict):
    """Something about the job is risky, so it is looked at by itself."""

    code = "flagged"
    message = "There is something to look at: decide on it by itself."


class DigestRequired(Invalid):
    """Whoever approves over REST says what they looked at."""

    code = "digest_required"
    message = "Send the digest of the job's review: it says what you looked at."


@use_case("job.approve", on=Job)
def approve_job(
    *,
    job_id: uuid.UUID,
    actor: Principal,
    reason: str = "",
    digest: str = "",
    is_one_of_many: bool = False,
) -> Job:
    """Let an awaiting job run; the approval is bound to the hash of exactly what will be done.

    `digest` is what the decider was shown, if the door shows it. Raises InvalidMove, SelfApproval,
    MayNotDecide, ChangedSinceShown, DigestRequired, IssuerRevoked; where it `is_one_of_many` that
    somebody decides on at once, Flagged too.
    """
    job, actor = lock_to_decide(job_id, actor)
    policy.check_may_approve(actor, job)
    if kind_of(job).signs:
        signers.check_may_sign(job.certificate.issuer)
    if not digest and settings.REQUIRE_DIGEST and actor.via.door is Door.REST:
        raise DigestRequired(
            errors=[FieldError("digest", DigestRequired.code, DigestRequired.message)]
        )
    approved = approvals.digest_of(job, job.certificate)
    if digest and digest != approved:
        raise ChangedSinceShown
    if is_one_of_many:
        _check_unflagged(job)
    _decide(job, actor, _checked_reason(reason))
    job.approved_digest = approved
    job.move(Move.APPROVE, actor=actor, reason=job.decision_reason, digest=approved)
    transaction.on_commit(queue.nudge)
    return job


@use_case("job.reject", on=Job)
def reject_job(
    *,
    job_id: uuid.UUID,
    actor: Principal,
    reason: str,
    digest: str = "",
    is_one_of_many: bool = False,
) -> Job:
    """End an awaiting job; the reason is required and kept.

    Raises InvalidMove, SelfRejection, MayNotDecide, Invalid (no reason); ChangedSinceShown where a
    `digest` is given and is not that of what would be done; and Flagged as `approve_job` does.
    """
    job, actor = lock_to_decide(job_id, actor)
    policy.check_may_reject(actor, job)
    if digest and digest != approvals.digest_of(job, job.certificate):
        raise ChangedSinceShown
    if is_one_of_many:
        _check_unflagged(job)
    reason = _checked_reason(reason)
    if not reason:
        raise Invalid(
            "A rejection needs a reason.",
            errors=[FieldError("reason", "required", "Say why, for whoever asked.")],
        )
    _decide(job, actor, reason)
    job.last_error = f"Rejected by {actor.get_username()}: {reason}"
    job.move(Move.REJECT, actor=actor, reason=reason)
    kind_of(job).restore(job, actor)
    return job


@use_case("job.cancel", on=Job)
def cancel_job(*, job_id: uuid.UUID, actor: Principal, reason: str = "") -> Job:
    """End a job that is open, or failed and to be tried again.

    What a worker makes of it afterwards is fenced off; newer work is left alone.

    Raises NotYours, InvalidMove.
    """
    job, actor = lock_to_decide(job_id, actor)
    _cancel(job, actor, reason)
    return job


def hold_to_cancel(*, jobs: QuerySet[Job], actor: Principal) -> tuple[Sequence[Job], Principal]:
    """Lock jobs and all that calling them off rests on; return them and the actor, read afresh.

    For an act that ends several: the trail's head comes last in the house's order, so nothing may
    be recorded before all are held. Call it in a transaction. Raises KeyGone.
    """
    held = list(jobs.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    rows = Certificate.objects.filter(pk__in={job.certificate_id for job in held})
    certificates = {row.pk: row for row in rows.select_for_update(no_key=True).order_by("pk")}
    for job in held:
        job.certificate = certificates[job.certificate_id]
    owners.policy.hold(
        owners={row.owner_id for row in certificates.values()},
        teams={row.team_id for row in certificates.values()},
        people={actor.pk, *(one for job in held for one in (job.requested_by_id, job.csr_by_id))},
    )
    return held, owners.policy.afresh(actor)


def cancel_held(*, jobs: Sequence[Job], actor: Principal, reason: str) -> None:
    """End jobs that `hold_to_cancel` gave; raises NotYours, InvalidMove."""
    for job in jobs:
        _cancel(job, actor, reason)


def _cancel(job: Job, actor: Principal, reason: str) -> None:
    policy.check_may_cancel(actor, job)
    reason = _checked_reason(reason)
    why = f"Cancelled by {actor.get_username()}" + (f": {reason}" if reason else ".")
    call_off(job, actor=actor, why=why, reason=reason)


def _check_unflagged(job: Job) -> None:
    """Raise Flagged, with what is risky about `job`, as things stand under its lock."""
    flags = risks.flags_of([job]).get(job.pk, ())
    if flags:
        said = " ".join(flag.words for flag in flags)
        raise Flagged(f"{said} {Flagged.message}")


def _decide(job: Job, actor: Principal, reason: str) -> None:
    job.decided_by = actor
    job.decided_at = timezone.now()
    job.decision_reason = reason
    job.waits_until = None


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > MAX_REASON:
        raise Invalid(
            errors=[FieldError("reason", "too_long", f"At most {MAX_REASON} characters.")]
        )
    return reason
