"""`manage.py pki_conformance`: hold an installation against the rules for relying parties."""

import sys
from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from pki_wellknown.conformance import program


class Command(BaseCommand):
    """Ask as relying parties do; the database is not touched."""

    help = (
        "Fetch CA certificate, CRL and OCSP answers of this or another installation, and say of "
        "each rule whether it holds. Exit status 0: all that apply do; 1: some do not; 2: nothing "
        "could be asked."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        program.add_arguments(parser)

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = program.run(Namespace(**options), self.stdout)  # type: ignore[arg-type]  # it writes
        except program.CannotRun as error:
            raise CommandError(str(error), returncode=program.CANNOT) from None
        if code:
            sys.exit(code)
