"""The jobs app."""

from django.apps import AppConfig
from typing_extensions import override


class JobsConfig(AppConfig):
    """Asked for, agreed to, done."""

    name = "jobs"

    @override
    def ready(self) -> None:
        from jobs.inbox import forget  # noqa: PLC0415 - models are there only now
        from jobs.models import has_moved  # noqa: PLC0415

        has_moved(forget)
