"""What a job waits for, in words for people."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from foundation.clock import database_clock
from jobs.models import Job
from jobs.states import Status


@dataclass(frozen=True, slots=True)
class Wait:
    """What has to happen before a job goes on, until when, and in words who cannot do it."""

    what: str
    until: datetime | None
    detail: str

    @property
    def short(self) -> str:
        """What it is, in a few words for lists."""
        words = _WAITS[self.what]
        return f"{words} {self.until:%d %b %H:%M}" if self.until else words

    def as_data(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


_WAITS = {
    "csr": "a CSR until",
    "approval": "a decision until",
    "agent": "its agent",
    "order": "its issuer,",
    "time": "its time,",
    "retry": "its next try,",
}


def _who_decides(job: Job) -> str:
    asked = f"neither {job.requested_by.get_username()}, who asked for it,"
    if job.csr_by is not None and job.csr_by != job.requested_by:
        asked += f" nor {job.csr_by.get_username()}, who gave its CSR,"
    return f"An operator must decide who is {asked} nor of the owner {job.certificate.owner}."


def _who_brings(job: Job) -> str:
    if job.csr_agent is None:
        return "A CSR for its names must be submitted."
    return f"The agent {job.csr_agent} makes its key and brings the CSR."


def _pending(job: Job) -> Wait | None:
    if job.agent_id is not None:
        return Wait("agent", None, "The agent of its target must fetch it.")
    if job.ordered_at is not None:
        detail = "Its issuer may have the order and has not answered yet; it is asked again."
        return Wait("order", job.scheduled_at, detail)
    if job.scheduled_at > database_clock.now():
        return Wait("time", job.scheduled_at, "It is scheduled for later.")
    return None


def waits_for(job: Job) -> Wait | None:
    """Return what `job` waits for; None where a worker has it or it is over."""
    match job.status:
        case Status.AWAITING_CSR:
            return Wait("csr", job.waits_until, _who_brings(job))
        case Status.AWAITING_APPROVAL:
            return Wait("approval", job.waits_until, _who_decides(job))
        case Status.PENDING:
            return _pending(job)
        case Status.FAILED if job.will_be_retried:
            return Wait("retry", job.scheduled_at, "It failed and will be tried again.")
    return None
