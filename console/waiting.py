"""What waits for the decision of whoever asks, looked at once for a page that shows it twice."""

from django.http import HttpRequest

from jobs import inbox
from owners.logins import actor_of

_PARTED = "certctl.waiting"  # in request.META


def parted(request: HttpRequest) -> inbox.Parted:
    """Return the most urgent that waits, parted by whether whoever asks may decide on it."""
    if _PARTED not in request.META:
        request.META[_PARTED] = inbox.parted(actor=actor_of(request))
    known: inbox.Parted = request.META[_PARTED]
    return known


def number(request: HttpRequest) -> str:
    """Return how many of them whoever asks may decide, for a badge; "" for none."""
    return inbox.number_for(actor_of(request), first=lambda: parted(request))
