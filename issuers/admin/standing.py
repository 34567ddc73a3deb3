"""How a profile or an issuer stands, in a word."""

from typing import Any

from django.http import HttpRequest

from foundation.admin.pages import link_to
from foundation.admin.parts import Badge
from issuers.models import Issuer, Profile

RESERVED_FOR = {
    (True, False): "CA certificates",
    (False, True): "RA certificates",
    (False, False): "OCSP responders",
}
# The word, and its colour in the theme.
COLOURS = {
    "enabled": "success",
    "disabled": "warning",
    "issues nothing": "warning",
    **dict.fromkeys(RESERVED_FOR.values(), "info"),
}


def state_of(profile: Profile) -> str:
    """Say whether certificates are issued under a profile, or what it is kept for."""
    if profile.is_reserved:
        return RESERVED_FOR[profile.is_ca, profile.is_ra]
    if profile.enabled and profile.issues_nothing and not profile.allowed_sans:
        return "issues nothing"
    return "enabled" if profile.enabled else "disabled"


def profile_badge(profile: Profile) -> Badge:
    """Return that word with its colour."""
    state = state_of(profile)
    return Badge(state, COLOURS[state])


ISSUER_COLUMNS = ("Issuer", "State", "Ends")


def issuer_cells(request: HttpRequest, issuer: Issuer) -> tuple[Any, ...]:
    """Return what tables on other rows' pages show of an issuer, by ISSUER_COLUMNS."""
    return (
        link_to(request, issuer),
        Badge("enabled", "success") if issuer.enabled else Badge("disabled", "warning"),
        issuer.described.not_after if issuer.described else None,
    )
