"""`manage.py create_ca`: make a local CA, or take over an existing one."""

import os
from argparse import ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

import owners.services
from audit.via import Door, Via
from certificates import services
from certificates.services.authorities import ANSWERS_FOR_CAS
from foundation.errors import CertctlError
from issuers.models import Issuer
from issuers.pointers import prefix_of, warning_of
from issuers.services import ExistingCA, NewCA, describe
from issuers.services.authorities import CA_ALGORITHMS
from issuers.x509 import chains, reading, serials
from owners.models import Owner, Principal


class Command(BaseCommand):
    """Make or import a CA and publish its first CRL."""

    help = "Make a local CA (a root, or one below --parent), or import one with its key."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its short name, which stands in CRL and OCSP URLs")
        parser.add_argument("--name", default="", help="its name for people")
        parser.add_argument("--common-name", default="", help="CN of its certificate")
        parser.add_argument("--organization", default="", help="O of its certificate")
        parser.add_argument("--key-algorithm", default="ecdsa-p256", choices=CA_ALGORITHMS)
        parser.add_argument("--lifetime-days", type=int, default=1825)
        parser.add_argument("--parent", default="", help="slug of the local CA that signs it")
        parser.add_argument("--path-length", type=int, default=None)
        parser.add_argument(
            "--pki-prefix",
            default="",
            help="the http address before /crl/, /ocsp/ and /ca/ in what it signs, where that is "
            "not the installation's",
        )
        parser.add_argument(
            "--name-constraint",
            action="append",
            default=[],
            help="a permitted subtree, as dns:example.com or ip:10.0.0.0/8; repeatable",
        )
        parser.add_argument("--owner", default=ANSWERS_FOR_CAS, help="who answers for it")
        parser.add_argument("--import-certificate", type=Path, help="PEM file to import")
        parser.add_argument("--import-key", type=Path, help="PEM file of its private key")
        parser.add_argument(
            "--crl",
            type=Path,
            action="append",
            default=[],
            help="its last CRL (PEM or DER), whose entries and number are taken over; repeatable",
        )
        parser.add_argument(
            "--no-crl", action="store_true", help="it never published a CRL: nothing is revoked"
        )
        parser.add_argument(
            "--crl-number",
            type=_number,
            default=0,
            help="where it is higher than that of --crl: decimal, or hexadecimal as 0x1f or 0a:1f",
        )
        parser.add_argument("--chain", type=Path, help="PEM file of the certificates above it")
        parser.add_argument(
            "--key-password-env", default="", help="environment variable with the key's password"
        )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        actor = Principal.objects.system()
        actor.via = Via(door=Door.CLI)
        try:
            issuer = self._issuer(actor, options)
        except CertctlError as error:
            details = [f"{one['field']}: {one['detail']}" for one in error.errors]
            raise CommandError("\n".join(details) or error.detail) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        if options["verbosity"]:
            self._say(issuer)

    def _issuer(self, actor: Principal, options: dict[str, Any]) -> Issuer:
        if options["import_certificate"] or options["import_key"]:
            existing = self._existing(options)
            return services.take_over_ca(actor=actor, ca=existing, owner=_owner(actor, options))
        new = self._new(options)
        return services.make_ca(actor=actor, ca=new, owner=_owner(actor, options))

    def _new(self, options: dict[str, Any]) -> NewCA:
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
        return NewCA(
            slug=options["slug"],
            name=options["name"],
            common_name=options["common_name"],
            organization=options["organization"],
            key_algorithm=options["key_algorithm"],
            lifetime=lifetime,
            parent=parent,
            path_length=options["path_length"],
            name_constraints=options["name_constraint"],
            pki_prefix=options["pki_prefix"],
        )

    def _existing(self, options: dict[str, Any]) -> ExistingCA:
        if not (options["import_certificate"] and options["import_key"]):
            raise CommandError("Give both --import-certificate and --import-key.")
        password = None
        if options["key_password_env"]:
            text = os.environ.get(options["key_password_env"])
            if text is None:
                raise CommandError(f"{options['key_password_env']} is not set.")
            password = text.encode()
        chain: Path | None = options["chain"]
        return ExistingCA(
            slug=options["slug"],
            name=options["name"],
            certificate_pem=options["import_certificate"].read_text(errors="replace"),
            key_pem=options["import_key"].read_bytes(),
            key_password=password,
            chain_pem=chain.read_text(errors="replace") if chain else "",
            crl_number=options["crl_number"],
            crls=[file.read_bytes() for file in options["crl"]],
            has_no_crl=options["no_crl"],
            pki_prefix=options["pki_prefix"],
        )

    def _say(self, issuer: Issuer) -> None:
        described = describe(issuer.certificate_pem, issuer.chain_pem)
        self.stdout.write(
            self.style.SUCCESS(f"{issuer.slug}: {described.subject}")
            + f"\n  key          {described.key_algorithm}"
            + f"\n  serial       {described.serial_hex}"
            + f"\n  SHA-256      {described.fingerprint}"
            + f"\n  valid until  {described.not_after:%Y-%m-%d %H:%M} UTC"
            + f"\n  CRL number   {issuer.crl_number}"
        )
        if warning := warning_of(prefix_of(issuer)):
            self.stderr.write(self.style.WARNING(f"  {warning}"))
        if issuer.awaits_crl:
            self.stderr.write(
                self.style.WARNING(
                    "  What it has revoked is not known: it publishes no CRL and answers no OCSP"
                    " until `import_crl` has read its last one."
                )
            )
        own, *above = reading.certificates(issuer.own_chain_pem)
        if lacking := chains.missing(own, above):
            self.stderr.write(
                self.style.WARNING(
                    f"  The chain lacks {lacking}: give it with --chain, or clients must have it."
                )
            )


def _number(text: str) -> int:
    try:
        return serials.number_of(text)
    except ValueError:
        raise ArgumentTypeError("it is no decimal or hexadecimal number") from None


def _owner(actor: Principal, options: dict[str, Any]) -> Owner | None:
    name = options["owner"]
    if name == ANSWERS_FOR_CAS:
        return None
    owner = Owner.objects.filter(name=name).first()
    return owner or owners.services.create_owner(actor=actor, details={"name": name})
