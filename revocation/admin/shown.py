"""What pages show of a plan, in plain words."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

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
    if facts.get("issued_elsewhere"):
        yield (
            f"{facts['issued_elsewhere']} were signed by a CA that certctl does not run: revoke "
            "them there."
        )
    if facts.get("short_lived"):
        yield f"{facts['short_lived']} are short-lived: they are in no CRL and no OCSP."
