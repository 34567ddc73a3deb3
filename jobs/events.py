"""What the trail says of jobs besides the use cases: what happens to them, move by move."""

from audit.actions import declare
from jobs.states import Move

WORDS = {
    Move.SUBMIT_CSR: "A job was given the CSR that it waited for, and goes ahead.",
    Move.SUBMIT_CSR_FOR_APPROVAL: "A job was given the CSR, and now waits for approval.",
    Move.APPROVE: "A job may run; bound to the digest of what it will do.",
    Move.REJECT: "A job was ended by whoever decides.",
    Move.CANCEL: "A job was called off.",
    Move.TIME_OUT: "A job waited too long for a CSR or a decision.",
    Move.CLAIM: "A worker took a job.",
    Move.RELEASE: "A worker gave a job back, untried.",
    Move.COMPLETE: "A job did what it was asked.",
    Move.FAIL: "A try of a job failed; `data` says whether there is another.",
    Move.RETRY: "A failed job is tried again.",
}

declare(
    {
        "job.request": "Work on a certificate was asked for.",
        "job.follow": "Work was asked for because other work was done.",
        "job.order": "The key of an order is kept before the issuer is asked to sign.",
        "job.give_up": "A failed job is not tried again: newer work took its place.",
        "certificate.request": "A name is to be managed, and its first certificate signed.",
        "certificate.renew": "The next version was asked for.",
        "certificate.deploy": "The current version was to be put in place at a target.",
        "certificate.verify": "An endpoint was to be looked at.",
        **{
            f"job.{move.name.lower()}": WORDS.get(move, f"A job came to {move.words}.")
            for move in Move
        },
    }
)
