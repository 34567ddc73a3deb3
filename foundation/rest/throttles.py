"""How often one principal may ask over REST: foundation.rates, as REST framework wants it."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from typing_extensions import override

from foundation.errors import TooMany
from foundation.middleware import remote_address
from foundation.rates import Rate, take

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView


class PrincipalThrottle(BaseThrottle):
    """So many requests a minute for one principal, whatever keys it uses."""

    def __init__(self) -> None:
        self._wait: float | None = None

    def get_rate(self) -> str:
        """Return the rate, such as "1200/min"."""
        return str(settings.API_RATE)

    @override
    def allow_request(self, request: Request, view: "APIView") -> bool:
        user = request.user
        # Nobody is counted by their address.
        ident = str(user.pk) if user.is_authenticated else str(remote_address(request._request))  # noqa: SLF001
        try:
            take("principal", ident, Rate.parse(self.get_rate()))
        except TooMany as error:
            self._wait = error.wait
            return False
        return True

    @override
    def wait(self) -> float | None:
        return self._wait
