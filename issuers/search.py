"""Finding issuers and profiles by name and slug."""

from foundation.hits import Hit, Sought, near
from issuers.models import Issuer, Profile


def find_issuers(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` issuers."""
    return near(Issuer.objects.all(), sought, by=("slug", "name"), limit=limit, detail=_of_issuer)


def find_profiles(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` profiles."""
    rows = Profile.objects.all()
    by = ("slug", "name")
    return near(rows, sought, by=by, limit=limit, detail=lambda profile: str(profile.name))


def _of_issuer(issuer: Issuer) -> str:
    return issuer.name if issuer.enabled else f"{issuer.name} · disabled"
