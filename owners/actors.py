"""Who acts on this request: the one place where an edge gets its principal from."""

from django.http import HttpRequest
from rest_framework.request import Request

from audit.via import Door, Via
from foundation.errors import NotPermitted
from foundation.middleware import remote_address
from owners.models import ApiKey, Principal


def via_of(request: HttpRequest | Request, *, door: Door, key: ApiKey | None = None) -> Via:
    """Return how `request` came in, for the audit trail."""
    return Via(
        door=door,
        api_key=key.name if key else "",
        request_id=str(request.META.get("certctl.request_id", "")),
        remote_address=remote_address(
            request._request if isinstance(request, Request) else request  # noqa: SLF001
        ),
    )


def actor_of(request: HttpRequest | Request) -> Principal:
    """Return the principal that acts, for REST and admin alike.

    Raises NotPermitted where nobody is authenticated: no edge acts for nobody.
    """
    user = request.user
    if not isinstance(user, Principal) or not user.is_active:
        raise NotPermitted("Nobody is signed in.")
    if not isinstance(request, Request):
        # request.user may be a lazy wrapper, which is why the attribute is set on what it wraps.
        user.via = via_of(request, door=Door.ADMIN)
    return user
