"""What became of a request, in the terms that every protocol has: issued, waiting, refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.use_cases import DEVICES, use_case
from certificates.models import Version
from enrollment import policy
from enrollment.models import Device, Enrollment, Label
from enrollment.states import Stand
from foundation.errors import NotFound
from jobs.models import Job
from jobs.states import OPEN, Status
from owners.models import Principal

# Until when whoever was told no is told so again, instead of having the same asked once more.
REJECTED_FOR = timedelta(days=1)
ASK_AGAIN_DECISION, ASK_AGAIN_WORK = timedelta(minutes=1), timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device is told. `version` where it is issued, `reason` where it is refused."""

    stand: Stand
    enrollment: Enrollment
    version: Version | None = None
    reason: str = ""
    retry_after: timedelta = timedelta(0)


class NoSuchRequest(NotFound):
    """Nobody asked for that here, or not with that key."""

    code = "no_such_request"
    message = "There is no such request of this device."


def answer_of(enrollment: Enrollment) -> Answer:
    """Return how the request stands, read afresh."""
    job = Job.objects.select_related("version__revocation", "version__issuer", "decided_by").get(
        pk=enrollment.job_id
    )
    stand, why = standing(job)
    if stand is Stand.WAITING:
        return Answer(stand, enrollment, retry_after=_wait(job, timezone.now()))
    if why:  # also where what was issued is given to nobody any more
        return Answer(Stand.REFUSED, enrollment, reason=why)
    return Answer(stand, enrollment, version=job.version)


def standing(job: Job) -> tuple[Stand, str]:
    """Return what became of a request by its `job`, and why: for lists, asking nothing more.

    What was issued stays so; where that is over, the words say it. `job` with its version's
    revocation at hand.
    """
    if job.status == Status.COMPLETED and job.version is not None:
        return Stand.ISSUED, _why_not_given(job.version)
    if job.status in OPEN or job.will_be_retried:
        return Stand.WAITING, ""
    return Stand.REFUSED, _reason(job)


def is_over(enrollment: Enrollment, label: Label) -> bool:
    """Whether the same may be asked for anew: it came to nothing, or its renewal is due."""
    job, now = enrollment.job, timezone.now()
    if job.status in OPEN or job.will_be_retried:
        return False
    if job.status != Status.COMPLETED or job.version is None:
        ended = job.completed_at or job.created_at
        return not (_was_rejected(job) and now < ended + REJECTED_FOR)
    return (
        bool(_why_not_given(job.version))
        or job.version.superseded_at is not None
        or now >= policy.renewal_opens(job.version, label)
    )


@use_case("enrollment.poll", on=Label, by="label_id", doors=DEVICES)
def poll(
    *, actor: Principal, label_id: UUID, transaction_id: str, key_fingerprint: str
) -> Enrollment:
    """Return the request that a device asks after, by what it calls it and the key that signed it.

    Raises NoSuchRequest, Blocked.
    """
    enrollment = (
        Enrollment.objects.filter(
            label=label_id, transaction=transaction_id, transaction_key=key_fingerprint
        )
        .exclude(transaction="")
        .order_by("-created_at", "-pk")
        .first()
    )
    if enrollment is None:
        raise NoSuchRequest
    if not Label.objects.filter(pk=label_id, enabled=True).exists():
        raise policy.Blocked
    if Device.objects.filter(pk=enrollment.device_id, blocked_at__isnull=False).exists():
        raise policy.Blocked
    return enrollment


def collected(*, actor: Principal, enrollment: Enrollment, version: Version) -> None:
    """Note, the first time, that the device gets its answer now; to be said before it is sent."""
    with transaction.atomic():
        first = Enrollment.objects.filter(pk=enrollment.pk, collected_at__isnull=True)
        if first.update(collected_at=timezone.now()):
            tell_collected(actor, enrollment, version)


def tell_collected(actor: Principal, enrollment: Enrollment, version: Version) -> None:
    """Tell the trail that the device gets its answer with this one."""
    record(
        actor=actor,
        action="enrollment.collect",
        subject=enrollment,
        device=str(enrollment.device),
        serial=version.serial,
    )


def _why_not_given(version: Version) -> str:
    if hasattr(version, "revocation"):
        return "The certificate was revoked: ask with a new key."
    if version.not_after <= timezone.now():
        return "The certificate has expired."
    return ""


def _wait(job: Job, now: datetime) -> timedelta:
    if job.status == Status.AWAITING_APPROVAL:
        return ASK_AGAIN_DECISION
    return max(job.scheduled_at - now, ASK_AGAIN_WORK)


def _was_rejected(job: Job) -> bool:
    # What was called off after it was approved has a decision too.
    return (
        job.status == Status.CANCELLED and job.decided_by_id is not None and not job.approved_digest
    )


def _reason(job: Job) -> str:
    if _was_rejected(job):
        return f"The request was rejected: {job.decision_reason}"
    if job.status == Status.CANCELLED:
        return "The request was called off, or nobody decided in time."
    # Why is for operators: it may speak of what a device need not know.
    return "The certificate could not be signed; the operator can see why."
