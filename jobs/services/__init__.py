"""The use cases of jobs; each is one function and one transaction, whichever door it came by.

Locks are always taken in the order Job → Certificate → Version → Issuer → audit. Whoever puts a
job among the open ones or takes it out of them (all moves but the claim and what undoes it) holds
the lock of its certificate, so nobody waits for a unique index while holding the audit's lock.
"""

from jobs.services.at_once import sign_at_once
from jobs.services.bindings import detach_target
from jobs.services.carrying import CannotCarry, Carried, ClaimGone, Report, carry, report
from jobs.services.decisions import (
    ChangedSinceShown,
    Flagged,
    approve_job,
    cancel_held,
    cancel_job,
    hold_to_cancel,
    reject_job,
)
from jobs.services.foresight import Foreseen, foresee_issuance
from jobs.services.justifying import MAX_JUSTIFICATION
from jobs.services.opening import HEAD_START, DuplicateJob, ForDevice
from jobs.services.ra import renew_ra, request_ra
from jobs.services.renewals import request_due_renewals, watch_certificates
from jobs.services.requests import (
    Asked,
    request_deployment,
    request_issuance,
    request_renewal,
    request_validation,
)
from jobs.services.responders import renew_responder, request_responder, tend_responders
from jobs.services.settle import complete, fail_job, park, release
from jobs.services.submitting import submit_csr
from jobs.services.sweeps import (
    end_work_of_retired,
    fail_abandoned,
    retry_failed,
    retry_job,
    time_out_waiting,
)

__all__ = [
    "HEAD_START",
    "MAX_JUSTIFICATION",
    "Asked",
    "CannotCarry",
    "Carried",
    "ChangedSinceShown",
    "ClaimGone",
    "DuplicateJob",
    "Flagged",
    "ForDevice",
    "Foreseen",
    "Report",
    "approve_job",
    "cancel_held",
    "cancel_job",
    "carry",
    "complete",
    "detach_target",
    "end_work_of_retired",
    "fail_abandoned",
    "fail_job",
    "foresee_issuance",
    "hold_to_cancel",
    "park",
    "reject_job",
    "release",
    "renew_ra",
    "renew_responder",
    "report",
    "request_deployment",
    "request_due_renewals",
    "request_issuance",
    "request_ra",
    "request_renewal",
    "request_responder",
    "request_validation",
    "retry_failed",
    "retry_job",
    "sign_at_once",
    "submit_csr",
    "tend_responders",
    "time_out_waiting",
    "watch_certificates",
]
