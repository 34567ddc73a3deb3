"""`manage.py import_crl`: take over what a CA revoked before it came here."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from audit.via import Door, Via
from certificates import services
from foundation.errors import CertctlError
from issuers.models import Issuer
from owners.models import Principal


class Command(BaseCommand):
    """Read old CRLs of an issuer and publish the next one."""

    help = "Take over the entries and the number of an issuer's CRLs that others published."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the issuer's slug")
        parser.add_argument("crl", type=Path, nargs="*", help="files in PEM or DER")
        parser.add_argument(
            "--no-crl", action="store_true", help="it never published one: nothing is revoked"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        actor = Principal.objects.system()
        actor.via = Via(door=Door.CLI)
        issuer = Issuer.objects.filter(slug=options["slug"]).first()
        if issuer is None:
            raise CommandError(f"There is no issuer {options['slug']!r}.")
        if bool(options["crl"]) == options["no_crl"]:
            raise CommandError("Give either files or --no-crl.")
        try:
            crls = [file.read_bytes() for file in options["crl"]]
            issuer = services.import_crls(actor=actor, issuer_id=issuer.pk, crls=crls)
        except CertctlError as error:
            raise CommandError(error.detail) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        if options["verbosity"]:
            self.stdout.write(self.style.SUCCESS(f"{issuer.slug}: CRL number {issuer.crl_number}"))
