"""The audit app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from typing_extensions import override


class AuditConfig(AppConfig):
    """Who did what."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    @override
    def ready(self) -> None:
        """Load what every app declares of its further events."""
        autodiscover_modules("events")
