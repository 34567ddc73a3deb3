"""`manage.py pki_export`: CRLs and CA certificates as files, for another web server."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from certificates import mirror


class Command(BaseCommand):
    """Write what relying parties fetch into a folder."""

    help = (
        "Write the CRL and the CA certificate of each issuer into a folder, as crl/<issuer> and "
        "ca/<issuer>: at once each, only what changed, and only what is in force."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder; it is made where there is none")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        written = mirror.export(options["folder"].absolute())
        if options["verbosity"]:
            for name in written.changed:
                self.stdout.write(f"{name}: written")
            for name in written.removed:
                self.stdout.write(f"{name}: removed, for it has ended")
            self.stdout.write(f"{written.kept} as they were")
        if written.failed:
            raise CommandError(
                "\n".join(f"{name}: {why}" for name, why in sorted(written.failed.items()))
            )
