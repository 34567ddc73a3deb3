"""Where a job stands, in words for people: a rejection is one, and no failure and no cancelling."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, F, OuterRef, Subquery, TextField, When

from certificates.models import Certificate, CertificateStatus
from jobs.approvals.waits import waits_for
from jobs.kinds import kind_of
from jobs.models import Job
from jobs.querysets import REJECTED
from jobs.states import Status

REJECTION: Final = "Rejected"
TONES = {
    Status.PENDING: "working",
    Status.AWAITING_CSR: "waiting",
    Status.AWAITING_APPROVAL: "waiting",
    Status.RUNNING: "working",
    Status.COMPLETED: "done",
    Status.FAILED: "failed",
    Status.CANCELLED: "over",
}
_DONE = {
    Job.Kind.DEPLOYMENT: "It is in place at {target}.",
    Job.Kind.REVOCATION: "The issuer was told.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands: one word and its tone, what that means, until when, and what to do.

    `todo` is for whoever asked for it; "" where there is nothing that they could do.
    """

    word: str
    tone: str
    detail: str = ""
    until: datetime | None = None
    todo: str = ""


def standing_of(job: Job) -> Standing:
    """Return where `job` stands; it wants its certificate, its owner, target and people at hand."""
    if job.is_rejected:
        return _rejected(job)
    word, tone = str(Status(job.status).label), TONES[Status(job.status)]
    wait = waits_for(job)
    match job.status:
        case Status.AWAITING_CSR:
            todo = "Give it the CSR before then."
        case Status.FAILED if not job.will_be_retried:
            return Standing(word, tone, job.last_error, None, _after_failure(job))
        case Status.COMPLETED:
            return Standing(*_completed(job, tone))
        case Status.CANCELLED:
            return Standing(word, tone, job.last_error, None, "Ask again if it is still wanted.")
        case _:
            todo = ""
    if wait is None:
        return Standing(word, tone, _at_work(job))
    detail = f"{job.last_error} {wait.detail}" if job.status == Status.FAILED else wait.detail
    return Standing(word, tone, detail.strip(), wait.until, todo)


def word_of(job: Job) -> str:
    """Return the one word for where `job` stands."""
    return REJECTION if job.is_rejected else str(Status(job.status).label)


def tone_of(job: Job) -> str:
    """Return the tone of that word, which is its colour."""
    return "rejected" if job.is_rejected else TONES[Status(job.status)]


def why_rejected() -> Any:
    """Return an expression on certificates: why their last request for a signature was rejected.

    NULL where it was not, or none was asked for.
    """
    last = Job.objects.filter(
        certificate=OuterRef("pk"), kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL)
    ).order_by("-created_at", "pk")
    why = Case(When(REJECTED, then=F("decision_reason")), output_field=TextField())
    return Subquery(last.annotate(rejection=why).values("rejection")[:1])


def last_rejection(certificate: Certificate) -> Job | None:
    """Return the last request for a signature where it was rejected, with who did; else None."""
    last = (
        Job.objects.filter(certificate=certificate, kind__in=(Job.Kind.ISSUANCE, Job.Kind.RENEWAL))
        .select_related("decided_by")
        .order_by("-created_at", "pk")
        .first()
    )
    return last if last is not None and last.is_rejected else None


def reads_rejected(status: str, why: str | None) -> bool:
    """Whether a certificate of that status is shown as rejected: it has nothing but the no."""
    return status == CertificateStatus.FAILED and why is not None


def _rejected(job: Job) -> Standing:
    who = job.decided_by.get_username() if job.decided_by else "somebody"
    return Standing(
        REJECTION,
        "rejected",
        f"By {who}: {job.decision_reason}",
        None,
        "Ask again when that is settled, and say so under Why.",
    )


def _completed(job: Job, tone: str) -> tuple[str, str, str]:
    if kind_of(job).signs and job.version is not None:
        ends = f"{job.version.not_after:%d %b %Y}"
        return "Issued", tone, f"Version {job.version.number} is there; it is valid until {ends}."
    if job.kind == Job.Kind.VALIDATION:
        return "Completed", tone, job.verification_detail or "It was looked at."
    words = _DONE.get(Job.Kind(job.kind), "It is done.")
    return "Completed", tone, words.format(target=job.target)


def _at_work(job: Job) -> str:
    if kind_of(job).signs:
        return "It is being signed." if job.status == Status.RUNNING else "It is signed next."
    return "It is being done." if job.status == Status.RUNNING else "It is done next."


def _after_failure(job: Job) -> str:
    if job.given_up:
        return "Trying again does not help by itself: mend what it says, then ask again."
    return "Its tries are spent. When what it says is mended, have it tried again."
