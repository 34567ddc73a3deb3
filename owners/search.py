"""Finding owners, teams and principals by name and address."""

from foundation.hits import Hit, Sought, near
from owners.models import Owner, Principal, Team


def find_owners(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` owners."""
    rows = Owner.objects.select_related("team")
    return near(rows, sought, by=("name", "email"), limit=limit, detail=_of_owner)


def find_teams(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` teams."""
    return near(Team.objects.all(), sought, by=("name",), limit=limit, detail=lambda team: "")


def find_principals(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` principals, but for those that only ask for devices."""
    rows = Principal.objects.filter(for_devices=False)
    by = ("username", "email", "first_name", "last_name")
    return near(rows, sought, by=by, limit=limit, detail=_of_principal)


def _of_owner(owner: Owner) -> str:
    return " · ".join(filter(None, (owner.email, str(owner.team or ""))))


def _of_principal(principal: Principal) -> str:
    words = (principal.get_full_name(), principal.email, principal.get_kind_display())
    return " · ".join(filter(None, words))
