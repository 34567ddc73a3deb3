"""`manage.py create_ca`: make a local CA, or take over an existing one.

It stands here and not in `issuers`, since a subordinate CA's own certificate is also a version
under its parent: the parent's CRL and OCSP speak for it.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit.via import Door, Via
from certificates import crl, services
from foundation.errors import CertctlError
from issuers import services as issuer_services
from issuers.models import Issuer
from issuers.services.authorities import CA_ALGORITHMS
from issuers.x509 import chains, reading
from owners.models import Owner, Principal


class Command(BaseCommand):
    """Make or import a CA and publish its first CRL."""

    help = "Make a local CA (a root, or one below --parent), or import one with its key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what the CA is."""
        parser.add_argument("slug", help="its short name, which stands in CRL and OCSP URLs")
        parser.add_argument("--name", default="", help="its name for people")
        parser.add_argument("--common-name", default="", help="CN of its certificate")
        parser.add_argument("--organization", default="", help="O of its certificate")
        parser.add_argument("--key-algorithm", default="ecdsa-p256", choices=CA_ALGORITHMS)
        parser.add_argument("--lifetime-days", type=int, default=1825)
        parser.add_argument("--parent", default="", help="slug of the local CA that signs it")
        parser.add_argument("--path-length", type=int, default=None)
        parser.add_argument(
            "--name-constraint",
            action="append",
            default=[],
            help="a permitted subtree, as dns:example.com or ip:10.0.0.0/8; repeatable",
        )
        parser.add_argument("--owner", default="PKI operations", help="who answers for it")
        parser.add_argument("--import-certificate", type=Path, help="PEM file to import")
        parser.add_argument("--import-key", type=Path, help="PEM file of its private key")
        parser.add_argument(
            "--crl-number", type=int, default=0, help="number of its last CRL published elsewhere"
        )
        parser.add_argument("--chain", type=Path, help="PEM file of the certificates above it")
        parser.add_argument(
            "--key-password-env", default="", help="environment variable with the key's password"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, record it under its parent, publish its first CRL."""
        actor = Principal.objects.system()
        actor.via = Via(door=Door.CLI)
        try:
            with transaction.atomic():
                issuer = self._issuer(actor, options)
                owner, _ = Owner.objects.get_or_create(name=options["owner"])
                services.record_ca(actor=actor, issuer=issuer, owner=owner)
            published = crl.publish(issuer.pk, actor=actor)
        except CertctlError as error:
            details = [f"{one['field']}: {one['detail']}" for one in error.errors]
            raise CommandError("\n".join(details) or error.detail) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        if options["verbosity"]:
            self._say(issuer, published.number)

    def _issuer(self, actor: Principal, options: dict[str, Any]) -> Issuer:
        importing = options["import_certificate"] or options["import_key"]
        if importing:
            return self._import(actor, options)
        if not options["common_name"]:
            raise CommandError("--common-name is needed.")
        parent = None
        try:
            lifetime = timedelta(days=options["lifetime_days"])
        except OverflowError:
            raise CommandError("--lifetime-days is out of bounds.") from None
        if options["parent"]:
            parent = Issuer.objects.filter(slug=options["parent"]).first()
            if parent is None:
                raise CommandError(f"There is no issuer {options['parent']!r}.")
        return issuer_services.create_local_ca(
            actor=actor,
            slug=options["slug"],
            name=options["name"],
            common_name=options["common_name"],
            organization=options["organization"],
            key_algorithm=options["key_algorithm"],
            lifetime=lifetime,
            parent=parent,
            path_length=options["path_length"],
            name_constraints=options["name_constraint"],
        )

    def _import(self, actor: Principal, options: dict[str, Any]) -> Issuer:
        if not (options["import_certificate"] and options["import_key"]):
            raise CommandError("Give both --import-certificate and --import-key.")
        password = None
        if options["key_password_env"]:
            text = os.environ.get(options["key_password_env"])
            if text is None:
                raise CommandError(f"{options['key_password_env']} is not set.")
            password = text.encode()
        chain: Path | None = options["chain"]
        return issuer_services.import_local_ca(
            actor=actor,
            slug=options["slug"],
            name=options["name"],
            certificate_pem=options["import_certificate"].read_text(errors="replace"),
            key_pem=options["import_key"].read_bytes(),
            key_password=password,
            chain_pem=chain.read_text(errors="replace") if chain else "",
            crl_number=options["crl_number"],
        )

    def _say(self, issuer: Issuer, number: int) -> None:
        described = issuer_services.describe(issuer.certificate_pem, issuer.chain_pem)
        self.stdout.write(
            self.style.SUCCESS(f"{issuer.slug}: {described.subject}")
            + f"\n  key          {described.key_algorithm}"
            + f"\n  serial       {described.serial_hex}"
            + f"\n  SHA-256      {described.fingerprint}"
            + f"\n  valid until  {described.not_after:%Y-%m-%d %H:%M} UTC"
            + f"\n  CRL number   {number}"
        )
        own, *above = reading.certificates(f"{issuer.certificate_pem}\n{issuer.chain_pem}")
        if lacking := chains.missing(own, above):
            self.stderr.write(
                self.style.WARNING(
                    f"  The chain lacks {lacking}: give it with --chain, or clients must have it."
                )
            )
