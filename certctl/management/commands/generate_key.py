"""`manage.py generate_key`: a fresh entry for CERTCTL_KEY_ENCRYPTION_KEYS."""

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand
from typing_extensions import override


class Command(BaseCommand):
    """Print 32 random bytes in base64."""

    help = "Print a fresh key for CERTCTL_KEY_ENCRYPTION_KEYS (put it first to rotate)."
    requires_system_checks: list[str] = []

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(base64.b64encode(secrets.token_bytes(32)).decode())
