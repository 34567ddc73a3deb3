"""`manage.py audit_verify`: prove that nobody edited the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from audit import services


class Command(BaseCommand):
    """Walk the hash chain and report the first broken link."""

    help = "Check every link of the audit trail's hash chain; exits 1 at the first broken one."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many events hold, or fail naming the first that does not."""
        count, broken = services.verify()
        if broken is not None:
            raise CommandError(
                f"The audit trail is broken at event {broken.sequence}: {broken.why}. "
                f"{count} event(s) before it hold."
            )
        self.stdout.write(self.style.SUCCESS(f"The audit trail holds: {count} event(s) verified."))
