"""What the trail says of plans besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "revocation_plan.wave": "A wave of a plan was carried out; `data` counts its outcomes.",
        "revocation_plan.complete": "A plan came to its end; `data` counts what became of all.",
        "revocation_plan.expire": "Nobody confirmed a plan in time: it changes nothing any more.",
    }
)

tell(
    {
        "certificate.bulk_revoke": Sentence(
            "revoked many at once", "revoke many at once", "by {it}"
        ),
        "revocation_plan.create": Sentence(
            "previewed", "preview", "the {it}", "a plan", is_noun=True
        ),
        "revocation_plan.confirm": Sentence(
            "confirmed", "confirm", "the {it}", "a plan", is_noun=True
        ),
        "revocation_plan.look": Sentence(
            "looked at", "look at", "the {it}", "a plan that was carried out", is_noun=True
        ),
        "revocation_plan.pause": Sentence("paused", "pause", "the {it}", "a plan", is_noun=True),
        "revocation_plan.resume": Sentence("resumed", "resume", "the {it}", "a plan", is_noun=True),
        "revocation_plan.stop": Sentence("stopped", "stop", "the {it}", "a plan", is_noun=True),
        "revocation_plan.wave": Sentence(
            "carried out", "carry out", "a wave of the {it}", "a wave of a plan", is_noun=True
        ),
        "revocation_plan.complete": Sentence(
            "completed", "complete", "the {it}", "a plan", is_noun=True
        ),
        "revocation_plan.expire": Sentence(
            "let go", "let go", "the {it}, which nobody confirmed in time", "a plan", is_noun=True
        ),
    }
)
