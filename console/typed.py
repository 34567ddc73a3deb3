"""Nothing typed is lost where a session had ended by the time a form was sent (decision 0069).

What was typed never comes here: the browser keeps it in its tab (certctl/static/certctl/typed.js),
sealed with a key that only pages of the same person carry.
"""

import base64
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme

SAFE = ("GET", "HEAD", "OPTIONS")
SALT = "console.typed.key"
ENDED = "ended"  # in the address of the page to sign in at: a form was not taken


def key_of(request: HttpRequest) -> str:
    """Return the 32 bytes, in base64, that this person's browser seals with; "" for nobody.

    The same at each sign-in, until they change their password: whoever signs in next at that
    browser has another one, and cannot read what is there.
    """
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    value = f"{user.pk}:{user.get_session_auth_hash()}"
    return base64.b64encode(salted_hmac(SALT, value, algorithm="sha256").digest()).decode()


def is_lost(site: AdminSite, request: HttpRequest) -> bool:
    """Whether a form was sent by whoever is not signed in (any more)."""
    return (
        request.method not in SAFE
        and not site.has_permission(request)
        and request.path != reverse("admin:logout")
    )


def sign_in_again(site: AdminSite, request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the page to sign in at, and from there to the page that has the form, to look at it.

    Nothing of the form is taken along: it is pressed again, or not at all.
    """
    back = came_from(request) or request.get_full_path()
    query = urlencode({"next": back, ENDED: "1"})
    return HttpResponseRedirect(f"{reverse('admin:login')}?{query}")


def came_from(request: HttpRequest) -> str:
    """Return the page of this admin that a form was sent from ("" where that is not known).

    By the Referer, which our own policy has browsers send within this site alone; never another
    site's address, nor the page to sign in at.
    """
    referer = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        referer, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    place = urlsplit(referer)
    if not is_ours or not place.path.startswith(reverse("admin:index")):
        return ""
    return f"{place.path}?{place.query}" if place.query else place.path
