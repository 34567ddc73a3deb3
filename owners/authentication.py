"""`Authorization: Bearer certctl_<prefix>_<secret>` for REST framework."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from audit.services import record_unknown
from audit.via import Door
from owners import keys
from owners.actors import via_of
from owners.models import ApiKey, Principal
from owners.roles import Role

STAMP_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Authenticate a principal by one of its API keys.

    A refusal is audited under the key's name, never under the principal, which did not act.
    """

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        """Return the principal and its key; None without an Authorization header."""
        header = get_authorization_header(request).split()
        if not header:
            return None
        bearer = len(header) == 2 and header[0].lower() == b"bearer"  # noqa: PLR2004
        parsed = keys.parse(header[1]) if bearer else None
        if parsed is None:
            raise AuthenticationFailed("This is not a certctl API key.", "invalid_key")
        prefix, secret = parsed
        key = ApiKey.objects.of_prefix(prefix)
        # The comparison is made for unknown prefixes too, so that time tells nothing.
        matches = keys.matches(secret, key.digest if key else None)
        self._check(request, key, prefix, matches=matches)
        assert key is not None  # noqa: S101 - for mypy: _check has refused it
        return self._principal(request, key), key

    def authenticate_header(self, request: Request) -> str:
        """Say how to authenticate (RFC 6750 §3), which makes a refusal 401 rather than 403."""
        return 'Bearer realm="certctl"'

    def _check(self, request: Request, key: ApiKey | None, prefix: str, *, matches: bool) -> None:
        via = via_of(request, door=Door.REST, key=key)
        if key is None or not matches:
            # One event a minute and address: a guesser must not be able to fill the trail.
            if cache.add(f"apikey-refused:{via.remote_address}:{prefix}", 1, 60):
                record_unknown(
                    name=key.name if key else "anonymous",
                    action="apikey.refuse",
                    via=via,
                    prefix=prefix,
                    why="unknown key" if key is None else "wrong secret",
                )
            raise AuthenticationFailed("This is not a valid API key.", "invalid_key")
        why = _refusal(key, via.remote_address)
        if why:
            record_unknown(name=key.name, action="apikey.refuse", via=via, prefix=prefix, why=why)
            raise AuthenticationFailed(f"The API key cannot be used: {why}.", "invalid_key")

    def _principal(self, request: Request, key: ApiKey) -> Principal:
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at >= STAMP_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        principal = key.principal
        principal.via = via_of(request, door=Door.REST, key=key)
        principal.cap = Role(key.role_cap)
        return principal


def _refusal(key: ApiKey, address: str | None) -> str:
    if key.disabled_at is not None:
        return "it is disabled"
    if not key.principal.is_active:
        return "its principal is disabled"
    if not key.is_live(timezone.now()):
        return "it has expired"
    if not key.allows_address(address):
        return "it may not be used from this address"
    return ""
