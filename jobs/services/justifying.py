"""Why a certificate is asked for: kept with the job as it was given, and part of what is approved.

A profile may want it. Whoever acts gives words of their own; where nobody is there to write them,
the door says what brought the request about, so that the rule is the same at every door.
"""

from foundation.errors import FieldError, Invalid
from issuers.models import Profile
from jobs.services.opening import ForDevice
from owners.models import Principal

MAX_JUSTIFICATION = 2000  # characters
BY_POLICY = "The renewal policy of the certificate asked for it; nobody else did."


def justified(
    given: str, *, profile: Profile, actor: Principal, device: ForDevice | None = None
) -> str:
    """Return the words to keep with the job: those given, or the door's where nobody writes any."""
    words = given.strip()
    if words or not profile.justification_required:
        return words
    if device is not None:
        return (
            f"The device {device.name} enrolled by itself; "
            f"{device.vouched_by.get_username()} let it."
        )
    return BY_POLICY if actor.kind == Principal.Kind.SYSTEM else ""


def check(words: str, *, profile: Profile) -> None:
    """Raise Invalid where the words to be kept are too long, or missing though they must not be."""
    if len(words) > MAX_JUSTIFICATION:
        detail = f"At most {MAX_JUSTIFICATION} characters."
        raise Invalid(errors=[FieldError("justification", "too_long", detail)])
    if profile.justification_required and not words:
        detail = f"{profile} wants to know why: say what the certificate is for."
        raise Invalid(errors=[FieldError("justification", "justification_required", detail)])
