"""The enrollment app."""

from django.apps import AppConfig
from typing_extensions import override


class EnrollmentConfig(AppConfig):
    """Devices ask for certificates of their own."""

    name = "enrollment"

    @override
    def ready(self) -> None:
        from enrollment import policy  # noqa: PLC0415 - models are ready
        from jobs.policy import has_answering, has_wait  # noqa: PLC0415 - as above

        has_wait(policy.wants_approval_at_a_label)
        has_answering(policy.who_answers_at_labels, hold=policy.hold_labels)
