"""The owners app."""

from django.apps import AppConfig
from django.contrib.auth import signals
from django.db.models.signals import post_migrate  # noqa: TID251 - the only moment when permissions exist
from typing_extensions import override


class OwnersConfig(AppConfig):
    """Who acts and who answers."""

    name = "owners"
    verbose_name = "Owners and access"

    @override
    def ready(self) -> None:
        """Keep the role groups current after every migrate, and logins in the audit trail."""
        from axes.signals import user_locked_out  # noqa: PLC0415

        from owners import logins, roles  # noqa: PLC0415 - models are not loaded before

        post_migrate.connect(roles.ensure_groups, dispatch_uid="owners.roles")
        signals.user_logged_in.connect(logins.logged_in, dispatch_uid="owners.logged_in")
        signals.user_logged_out.connect(logins.logged_out, dispatch_uid="owners.logged_out")
        signals.user_login_failed.connect(logins.login_failed, dispatch_uid="owners.login_failed")
        user_locked_out.connect(logins.locked_out, dispatch_uid="owners.locked_out")
