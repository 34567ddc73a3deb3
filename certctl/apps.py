"""The project package as an app: system checks, commands and static files."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from typing_extensions import override


class CertctlConfig(AppConfig):
    """Wiring."""

    default = True
    name = "certctl"

    @override
    def ready(self) -> None:
        """Register the system checks, and load Celery so that shared tasks find their app."""
        from certctl import celery, checks  # noqa: F401, PLC0415 - settings must be there first


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin on our site, for what is registered with `admin.site`."""

    default = False
    default_site = "console.site.Site"
