"""What pages show of a plan, in plain words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from foundation import durations
from foundation.admin.parts import Badge, Fact, Facts, Head
from foundation.admin.words import moment, reason, reason_parts
from revocation import services
from revocation.models import Plan
from revocation.states import Status

WHY_NOT = {
    "archived": "archived",
    "enrolled_by_a_device": "enrolled by a device, which renews for itself",
    "issuer_disabled": "their issuer is disabled",
    "no_renewal_policy": "without a renewal policy",
    "key_brought_from_outside": "with a key from outside: somebody must bring a new request",
}


def shown(plan: Plan) -> dict[str, Any]:
    """Return what the templates of a plan show."""
    share = 100 * plan.done // plan.count if plan.count else 100
    return {
        "plan": plan,
        "reason": reason(plan.reason),
        "facts": plan.preview,
        "criteria": [(name, _words(one)) for name, one in services.brief(plan.criteria).items()],
        "share": share,
        "is_live": plan.status == Status.RUNNING,
        "warnings": list(_warnings(plan)),
        "irreplaceable": [
            (WHY_NOT.get(why, why), count)
            for why, count in plan.preview.get("irreplaceable", {}).items()
        ],
        "owners": plan.preview.get("owners", [])[:20],
        "summary": services.summary(plan) if plan.confirmed_at else None,
    }


def count_of(plan: Plan) -> str:
    """Return "1 version" or "3 versions"."""
    return f"{plan.count} version{'' if plan.count == 1 else 's'}"


def name_of(plan: Plan) -> str:
    """Return what a plan is called: how many it is about, and that it is a drill."""
    return f"{'Drill: ' if plan.drill else ''}{count_of(plan)}"


def head_of(plan: Plan, colour: str) -> Head:
    """Return what a plan's page begins with: what it is, how it stands, why, by whom."""
    return Head(
        "Plan of bulk revocation",
        name_of(plan),
        Badge(str(plan.status), colour),
        [_next(plan)],
        [
            Fact("Why", *reason_parts(plan.reason)),
            Fact("Made by", str(plan.made_by), moment(plan.made_at)),
            Fact(
                "Confirmed by",
                str(plan.confirmed_by) if plan.confirmed_by else None,
                moment(plan.confirmed_at) if plan.confirmed_at else "",
            ),
        ],
    )


def facts_of(request: HttpRequest, plan: Plan) -> list[Facts]:
    """Return what else was settled when a plan was made, and who looked at it."""
    return [
        Facts(
            "How it is carried out",
            [
                Fact("Note", plan.note, is_wide=True),
                Fact("At a time", f"{plan.wave_size} version{'' if plan.wave_size == 1 else 's'}"),
                Fact("Pause in between", durations.words(timedelta(seconds=plan.pause_seconds))),
                Fact("Looked at by", str(plan.looked_by) if plan.looked_by else None),
                Fact("Looked at", plan.looked_at),
                Fact("Ended", plan.ended_at),
            ],
        )
    ]


def _next(plan: Plan) -> str:
    if plan.status == Status.PREVIEWED:
        return f"Nothing is revoked yet. It can be confirmed until {moment(plan.expires_at)}."
    if plan.status == Status.RUNNING:
        return "The worker carries it out: this page follows it."
    if plan.status == Status.PAUSED:
        return "No further wave begins until it is resumed. What is revoked stays so."
    if plan.confirmed_at is None:
        return "It changed nothing, and never will."
    return "It is over: what is revoked stays so."


def _words(value: Any) -> str:
    """Return a criterion's value for people."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return " ".join(f"{name} {one}" for name, one in value.items())
    return str(value)


def _warnings(plan: Plan) -> Iterator[str]:
    facts = plan.preview
    if plan.drill:
        yield "This is a drill: it goes the whole way and revokes nothing."
    if plan.needs_look:
        yield (
            f"{plan.confirmed_by} revoked this at once, for a compromise. A second administrator "
            "has yet to look at it."
        )
    if plan.status == Status.PREVIEWED and not plan.is_compromise:
        limit = settings.BULK_REVOKE_LIMIT
        if plan.count > limit:
            yield (f"More than {limit}: another administrator than {plan.made_by} must confirm it.")
    if facts.get("authorities_count"):
        names = ", ".join(facts["authorities"])
        yield f"Not revoked by this, since a CA's own certificate is revoked alone: {names}"
    if facts.get("on_hold"):
        yield f"{facts['on_hold']} are on hold: what this says of them is final."
    if facts.get("issued_elsewhere"):
        yield (
            f"{facts['issued_elsewhere']} were signed by a CA that certctl does not run: revoke "
            "them there."
        )
    if facts.get("short_lived"):
        yield f"{facts['short_lived']} are short-lived: they are in no CRL and no OCSP."
