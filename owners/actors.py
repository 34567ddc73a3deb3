"""Who acts: by which door, by which key. The one place where an edge gets its principal from.

No door is preferred and none is the default: REST, the admin, and whatever comes later (EST, SCEP,
MCP, agents) each name theirs and adapt what is here to their framework in a few lines.
"""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from audit.via import Door, Via
from foundation.errors import NotAuthenticated, NotPermitted
from foundation.middleware import remote_address
from foundation.rates import LockOut, Rate, block_of
from owners import keys, strangers
from owners.models import ApiKey, Principal
from owners.roles import Role

STAMP_EVERY = timedelta(minutes=1)
# Of one prefix from one address, as with names in the admin (AXES_FAILURE_LIMIT), but roomier: a
# program with an old key tries again and again. Others at the same address are not in the way.
WRONG_KEYS = LockOut("apikey", Rate(30, 15 * 60))
# Of programs of ours: the name, a slash, the release.
OUR_CLIENTS = re.compile(r"certctl-(?:agent|cli)/[0-9][0-9A-Za-z.+-]{0,30}(?=\Z| )")


class InvalidKey(NotAuthenticated):
    """It is no API key, or one that may not be used."""

    code = "invalid_key"
    message = "This is not a valid API key."


def via_of(request: HttpRequest, *, door: Door, key: ApiKey | None = None) -> Via:
    """Return how `request` came in, for the audit trail."""
    return Via(
        door=door,
        api_key=key.name if key else "",
        request_id=str(request.META.get("certctl.request_id", "")),
        remote_address=remote_address(request),
        client_request_id=str(request.META.get("certctl.client_request_id", "")),
        client=_client_of(request),
    )


def _client_of(request: HttpRequest) -> str:
    """Return which of our own programs asks; whatever else stands there may be anything."""
    match = OUR_CLIENTS.match(request.headers.get("User-Agent", ""))
    return match[0] if match else ""


def actor_of(request: HttpRequest, door: Door) -> Principal:
    """Return the principal that acts on `request`, which came by `door`.

    Raises NotPermitted where nobody is authenticated: no edge acts for nobody.
    """
    user = request.user
    if not isinstance(user, Principal) or not user.is_active:
        raise NotPermitted("Nobody is signed in.")
    if user.via.door is not door:  # else `authenticate` has set it, with the key
        # request.user may be a lazy wrapper, which is why the attribute is set on what it wraps.
        user.via = via_of(request, door=door)
    return user


def authenticate(text: bytes, via: Via) -> tuple[Principal, ApiKey]:
    """Return the principal whose API key `text` is, and the key; `via` says how it came.

    The principal carries both: the key's name in `via`, its role in `cap`. Raises InvalidKey, and
    TooMany after too many wrong keys of one prefix from one address. A refusal is written to the
    trail under the key's name, never under the principal, which did not act.
    """
    parsed = keys.parse(text)
    if parsed is None:
        raise InvalidKey("This is not a certctl API key.")
    prefix, secret = parsed
    guesser = f"{block_of(via.remote_address)}:{prefix}"
    WRONG_KEYS.check(guesser)
    key = ApiKey.objects.of_prefix(prefix)
    # The comparison is made for unknown prefixes too, so that time tells nothing.
    matches = keys.matches(secret, key.digest if key else None)
    if key is None or not matches:
        is_locked = WRONG_KEYS.fail(guesser)
        _refuse(key, prefix, via, "unknown key" if key is None else "wrong secret")
        if is_locked:
            _tell(key, via, "apikey.lock_out", kind=strangers.LOCK_OUTS, prefix=prefix)
        raise InvalidKey
    why = _why_not(key, via.remote_address)
    if why:
        _refuse(key, prefix, via, why)
        raise InvalidKey(f"The API key cannot be used: {why}.")
    return _principal(key, via), key


def _principal(key: ApiKey, via: Via) -> Principal:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= STAMP_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    principal = key.principal
    principal.via = _by(key, via)
    principal.cap = Role(key.role_cap)
    return principal


def _by(key: ApiKey | None, via: Via) -> Via:
    return replace(via, api_key=key.name if key else "")


def _refuse(key: ApiKey | None, prefix: str, via: Via, why: str) -> None:
    _tell(key, via, "apikey.refuse", prefix=prefix, why=why)


def _tell(key: ApiKey | None, via: Via, action: str, **data: Any) -> None:
    # A guesser must not be able to fill the trail, nor whoever goes on with a key that is no more.
    strangers.tell(action=action, via=_by(key, via), name=key.name if key else "", **data)


def _why_not(key: ApiKey, address: str | None) -> str:
    if key.disabled_at is not None:
        return "it is disabled"
    if not key.principal.is_active:
        return "its principal is disabled"
    if not key.is_live(timezone.now()):
        return "it has expired"
    if not key.allows_address(address):
        return "it may not be used from this address"
    return ""
