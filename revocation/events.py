"""What the trail says of plans besides the use cases."""

from audit.actions import declare

declare(
    {
        "revocation_plan.wave": "A wave of a plan was carried out; `data` counts its outcomes.",
        "revocation_plan.complete": "A plan came to its end; `data` counts what became of all.",
        "revocation_plan.expire": "Nobody confirmed a plan in time: it changes nothing any more.",
    }
)
