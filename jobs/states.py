"""The state machine of a job, pure.

    (asked) ──► AwaitingCSR ──────────► AwaitingApproval ──► Pending ──► Running ──► Completed
                    │     submit_csr          │      approve  ▲  │ claim  │  complete
                    └────────► Pending        │ reject        │  └◄──────┤ release, park
                                              ▼               │ retry    │ fail
      cancel (any open, or Failed   ──► Cancelled             └────── Failed
      with a try to come)

Only the moves below exist; `jobs.models.Job.move` is the one that makes them.
"""

from enum import Enum, unique

from django.db.models import TextChoices


class Status(TextChoices):
    """Where a job stands; the values are API."""

    PENDING = "Pending"
    AWAITING_CSR = "AwaitingCSR", "Awaiting CSR"
    AWAITING_APPROVAL = "AwaitingApproval", "Awaiting approval"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


# A failed job is not open, even while it has tries left: whoever does not want to wait for its
# retry asks anew, and the retry then gives way (jobs.services.retry_failed).
OPEN = (Status.PENDING, Status.AWAITING_CSR, Status.AWAITING_APPROVAL, Status.RUNNING)


@unique
class Move(Enum):
    """What can happen to a job: the statuses that it may leave, the one that it enters, words."""

    SUBMIT_CSR = (Status.AWAITING_CSR,), Status.PENDING, "be given a CSR"
    SUBMIT_CSR_FOR_APPROVAL = (
        (Status.AWAITING_CSR,),
        Status.AWAITING_APPROVAL,
        "be given a CSR to approve",
    )
    APPROVE = (Status.AWAITING_APPROVAL,), Status.PENDING, "be approved"
    REJECT = (Status.AWAITING_APPROVAL,), Status.CANCELLED, "be rejected"
    # Of what failed, only while another try is to come (jobs.models.Job.allows).
    CANCEL = (*OPEN, Status.FAILED), Status.CANCELLED, "be cancelled"
    TIME_OUT = (Status.AWAITING_CSR, Status.AWAITING_APPROVAL), Status.CANCELLED, "time out"
    CLAIM = (Status.PENDING,), Status.RUNNING, "be claimed"
    RELEASE = (Status.RUNNING,), Status.PENDING, "be released"
    # Begun and to be gone on with: an issuer has the order and has not answered yet.
    PARK = (Status.RUNNING,), Status.PENDING, "be parked"
    COMPLETE = (Status.RUNNING,), Status.COMPLETED, "be completed"
    FAIL = (Status.RUNNING,), Status.FAILED, "fail"
    RETRY = (Status.FAILED,), Status.PENDING, "be tried again"

    def __init__(self, sources: tuple[Status, ...], target: Status, words: str) -> None:
        self.sources = sources
        self.target = target
        self.words = words
