"""The whole of a device's question: asked, done at once where nothing has to wait, answered."""

from uuid import UUID

from enrollment import policy
from enrollment.models import Enrollment
from enrollment.services.answers import Answer, answer_of, collected, poll
from enrollment.services.callers import Caller
from enrollment.services.enrolling import enroll
from enrollment.states import Stand
from jobs.runner import run_at_once
from jobs.states import Status
from owners.models import Principal


def ask(
    *, actor: Principal, label_id: UUID, caller: Caller, csr_pem: str, transaction: str = ""
) -> Answer:
    """Return the answer to a device's request; see `enroll` for what it raises.

    Where nothing has to wait and one of our own CAs signs, it is signed here and now, as OCSP
    answers are. No issuer is called over a network while a device holds the line.
    """
    enrollment = enroll(
        actor=actor,
        label_id=label_id,
        caller=caller,
        csr_pem=csr_pem,
        transaction=transaction,
        at_once=True,
    )
    if enrollment.issued is not None:
        return Answer(Stand.ISSUED, enrollment, version=enrollment.issued)
    return answer_now(actor, enrollment)


def ask_after(
    *, actor: Principal, label_id: UUID, transaction_id: str, key_fingerprint: str
) -> Answer:
    """Return the answer to a device that asks after its request; see `poll` for what it raises."""
    enrollment = poll(
        actor=actor,
        label_id=label_id,
        transaction_id=transaction_id,
        key_fingerprint=key_fingerprint,
    )
    return answer_now(actor, enrollment)


def answer_now(actor: Principal, enrollment: Enrollment) -> Answer:
    """Do at once what need not wait, and return how the request stands; what goes out is noted."""
    job = enrollment.job
    if job.status == Status.PENDING and policy.signs_at_once(enrollment.certificate.issuer):
        run_at_once(job.pk)
    answer = answer_of(enrollment)
    if answer.stand is Stand.ISSUED and answer.version is not None:
        collected(actor=actor, enrollment=enrollment, version=answer.version)
    return answer
