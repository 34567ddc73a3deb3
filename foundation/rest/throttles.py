"""How often one principal may ask."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView


class PrincipalThrottle(SimpleRateThrottle):
    """So many requests a minute for one principal, whatever keys it uses."""

    scope = "principal"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Count by principal, or by address for those who are not known."""
        user = request.user
        ident = str(user.pk) if user.is_authenticated else self.get_ident(request)
        return self.cache_format % {"scope": self.scope, "ident": ident}
