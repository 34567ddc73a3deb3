"""The project package as an app: system checks, commands and static files."""

from django.apps import AppConfig
from typing_extensions import override


class CertctlConfig(AppConfig):
    """Wiring."""

    name = "certctl"

    @override
    def ready(self) -> None:
        """Register the system checks, and load Celery so that shared tasks find their app."""
        from certctl import celery, checks  # noqa: F401, PLC0415 - settings must be there first
