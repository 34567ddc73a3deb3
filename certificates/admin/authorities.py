"""Issuers, with the making of a CA: its certificate and its CRL belong to certificates."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from certificates import services
from issuers.admin import IssuerAdmin
from issuers.models import Issuer
from issuers.services import NewCA
from owners.logins import actor_of


@admin.register(Issuer)
class CaAdmin(IssuerAdmin):
    """Makes a CA whole: recorded under its parent, with its first CRL."""

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        if row is not None:
            return super().save_row(request, data, row)
        lifetime = timedelta(days=data.pop("lifetime_days"))
        return services.make_ca(actor=actor_of(request), ca=NewCA(lifetime=lifetime, **data))
