"""The enrollment app."""

from django.apps import AppConfig
from typing_extensions import override


class EnrollmentConfig(AppConfig):
    """Devices ask for certificates of their own."""

    name = "enrollment"

    @override
    def ready(self) -> None:
        from enrollment.policy import wants_approval_at_a_label  # noqa: PLC0415 - models are ready
        from jobs.policy import has_wait  # noqa: PLC0415 - as above

        has_wait(wants_approval_at_a_label)
