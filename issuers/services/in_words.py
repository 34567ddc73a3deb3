"""What a profile and an issuer allow, in words for whoever asks for a certificate."""

from collections.abc import Iterator

from foundation import durations
from issuers.models import Issuer, Profile

Rule = tuple[str, str]
_SHOWN = 20  # patterns; a profile may have hundreds


def rules_of_profile(profile: Profile) -> list[Rule]:
    """Return the rules as (what about, what holds), in the order in which a form asks."""
    return [(about, words) for about, words in _of_profile(profile) if words]


def rules_of_issuer(issuer: Issuer) -> list[Rule]:
    """Return what is to be known of whoever signs."""
    rules = [("Name", issuer.name)]
    if issuer.described is not None:
        rules.append(("Subject", issuer.described.subject))
        rules.append(("Signs until", f"{issuer.described.not_after:%Y-%m-%d}"))
    return [rule for rule in rules if rule[1]]


def _of_profile(profile: Profile) -> Iterator[Rule]:
    yield "For", profile.description
    yield "Names", _listed(profile.allowed_sans, "none")
    yield "Of which one like", _listed(profile.required_sans, "")
    yield "Wildcards", "allowed" if profile.allow_wildcards else "not allowed"
    yield "Most names", str(profile.max_sans)
    yield "Keys", _keys(profile.key_algorithms)
    yield "Lifetime", f"up to {durations.words(profile.max_lifetime)}"
    yield "Good for", ", ".join(profile.extended_key_usage)
    yield "Subject may have", ", ".join(profile.subject_attributes) or "nothing"
    yield (
        "Subject gets",
        ", ".join(f"{name}={text}" for name, text in profile.fixed_subject.items()),
    )
    yield "Signed by", ", ".join(one.slug for one in profile.issuers.all()) or "any issuer"
    yield "Somebody else approves", ", ".join(profile.approval_required_for) or "nothing"
    yield "Justification", "required" if profile.justification_required else ""


def _listed(patterns: list[str], none: str) -> str:
    if not patterns:
        return none
    more = len(patterns) - _SHOWN
    return ", ".join(patterns[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _keys(algorithms: list[str]) -> str:
    return ", ".join(
        f"{text} or larger" if text.startswith("rsa-") else text for text in algorithms
    )
