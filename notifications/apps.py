"""The notifications app."""

from django.apps import AppConfig
from typing_extensions import override


class NotificationsConfig(AppConfig):
    """People are told by e-mail; off until there is a mail server."""

    name = "notifications"

    @override
    def ready(self) -> None:
        from jobs.models import has_moved  # noqa: PLC0415 - models are not there before
        from notifications.services import note_outcome  # noqa: PLC0415

        has_moved(note_outcome)
