"""What the trail says of jobs besides the use cases: what happens to them, move by move."""

from audit.actions import declare
from audit.sentences import Sentence, tell
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

tell(
    {
        "certificate.request": Sentence(
            "asked for", "ask for", "the first certificate of {it}", "a certificate"
        ),
        "certificate.renew": Sentence("asked for", "ask for", "the renewal of {it}", "a renewal"),
        "certificate.deploy": Sentence(
            "asked for", "ask for", "the deployment of {it}", "a deployment"
        ),
        "certificate.verify": Sentence(
            "asked to look at", "look at", "what is served of {it}", "what a target serves"
        ),
        "certificate.request_responder": Sentence(
            "asked for",
            "ask for",
            "the first responder certificate of {it}",
            "a responder's certificate",
        ),
        "certificate.renew_responder": Sentence(
            "asked for",
            "ask for",
            "the next responder certificate of {it}",
            "a responder's next certificate",
        ),
        "job.carry": Sentence("fetched", "fetch", "the {it}", "a job", is_noun=True),
        "job.report": Sentence("reported on", "report on", "the {it}", "a job", is_noun=True),
        "job.request": Sentence("asked for", "ask for", "the {it}", "a job", is_noun=True),
        "job.follow": Sentence(
            "asked for",
            "ask for",
            "the {it}, which follows other work",
            "work that follows other work",
            is_noun=True,
        ),
        "job.order": Sentence("kept", "keep", "the order for the {it}", "an order", is_noun=True),
        "job.give_up": Sentence("gave up", "give up", "the {it}", "a job", is_noun=True),
        "job.submit_csr": Sentence(
            "gave", "give", "the CSR for the {it}", "the CSR of a job", is_noun=True
        ),
        "job.submit_csr_for_approval": Sentence(
            "gave",
            "give",
            "the CSR for the {it}, which waits for approval",
            "the CSR of a job that waits for approval",
            is_noun=True,
        ),
        "job.approve": Sentence("approved", "approve", "the {it}", "a job", is_noun=True),
        "job.reject": Sentence("rejected", "reject", "the {it}", "a job", is_noun=True),
        "job.cancel": Sentence("cancelled", "cancel", "the {it}", "a job", is_noun=True),
        "job.time_out": Sentence(
            "ended",
            "end",
            "the {it}, which had waited too long",
            "a job that had waited too long",
            is_noun=True,
        ),
        "job.claim": Sentence("took up", "take up", "the {it}", "a job", is_noun=True),
        "job.release": Sentence(
            "gave back", "give back", "the {it}, untried", "a job, untried", is_noun=True
        ),
        "job.complete": Sentence("completed", "complete", "the {it}", "a job", is_noun=True),
        "job.fail": Sentence("failed in", "fail in", "the {it}", "a job", is_noun=True),
        "job.retry": Sentence(
            "had tried again", "have tried again", "the {it}", "a job", is_noun=True
        ),
        "job.park": Sentence(
            "parked", "park", "the {it}, which the issuer has still to sign", "a job", is_noun=True
        ),
    }
)
