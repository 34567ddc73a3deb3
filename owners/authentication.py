"""REST's adapter of owners.actors: `Authorization: Bearer certctl_<prefix>_<secret>`."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from typing_extensions import override

from audit.via import Door
from foundation.errors import TooMany
from owners import actors
from owners.models import ApiKey, Principal


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticate a principal by one of its API keys."""

    @override
    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        header = get_authorization_header(request).split()
        if not header:
            return None
        # Another scheme, or too many words, is no key of ours.
        bearer = len(header) == 2 and header[0].lower() == b"bearer"  # noqa: PLR2004
        via = actors.via_of(request._request, door=Door.REST)  # noqa: SLF001 - Django's own request
        try:
            return actors.authenticate(header[1] if bearer else b"", via)
        except actors.InvalidKey as error:
            raise AuthenticationFailed(error.detail, error.code) from None
        except TooMany as error:
            raise Throttled(error.wait) from None

    @override
    def authenticate_header(self, request: Request) -> str:
        # RFC 6750 §3; it makes a refusal 401 rather than 403.
        return 'Bearer realm="certctl"'


def actor_of(request: Request) -> Principal:
    """Return the principal that acts over REST; raises NotPermitted where nobody is known."""
    # REST framework puts whom it authenticates on Django's own request too.
    assert request.user is not None  # noqa: S101 - asking is what authenticates
    return actors.actor_of(request._request, Door.REST)  # noqa: SLF001
