"""Permission classes of the REST API: what a Django permission means over HTTP."""

from functools import cache
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission, DjangoModelPermissions
from rest_framework.request import Request
from typing_extensions import override

if TYPE_CHECKING:
    # REST framework loads these classes while it loads its views.
    from rest_framework.views import APIView

CODE = "missing_permission"


class ModelPermissions(DjangoModelPermissions):
    """Reading needs `view`, writing `add`, `change` or `delete`; the default is deny."""

    code = CODE
    message = "Your role does not allow this."
    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
        "OPTIONS": ["%(app_label)s.view_%(model_name)s"],
    }

    @override
    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Ask the table; a method that the view lacks is 405 to whoever is signed in, not 403."""
        if request.user.is_authenticated and request.method not in view.allowed_methods:
            return True
        return super().has_permission(request, view)


@cache
def needs(*permissions: str) -> type[BasePermission]:
    """Return a permission class that asks for all of `permissions` ("app.codename").

    `permission_classes` on an action replaces the defaults, so put this one first there: it is
    what turns away whoever is not signed in.
    """

    class Needs(BasePermission):
        """Ask for permissions by name."""

        code = CODE
        message = f"This needs the permission {' and '.join(permissions)}."

        def has_permission(self, request: Request, view: "APIView") -> bool:
            user: Any = request.user
            return bool(user and user.is_authenticated and user.has_perms(permissions))

    return Needs
