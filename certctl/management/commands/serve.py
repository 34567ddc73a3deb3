"""`manage.py serve`: the embedded installation, web server, worker and beat as one group."""

import os
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from typing_extensions import override

from certctl import serving
from certctl.embedded import EVERYWHERE, PKI_BASE_URL, command, url_of
from certctl.supervisor import Program, Supervisor
from certctl.terminal import at_the_terminal
from issuers.pointers import default_prefix, is_loopback, warning_of
from owners.accounts import LINK_LIVES, invite_first_administrator
from owners.models import Principal

MINUTES = LINK_LIVES.seconds // 60


class Command(BaseCommand):
    """Migrate, start everything, wait until it is ready, and stay until Ctrl-C."""

    help = "Run certctl on this machine with no other service: web server, worker and beat."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument(
            "--port", type=int, default=8000, help="port to listen on; 0: any that is free"
        )
        parser.add_argument("--workers", type=int, default=1, help="web server processes")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = self.up(options)
        try:
            self.stdout.write(self.style.SUCCESS(f"certctl is ready: {self.base_url}/admin/"))
            self._invite()
            self.stdout.write("Ctrl-C ends it.")
            self.stdout.flush()
            if warning := warning_of(default_prefix()):
                self.stderr.write(self.style.WARNING(warning))
            supervisor.watch()
        finally:
            supervisor.stop()

    def _invite(self) -> None:
        """Print the link for the first administrator, where there is none yet."""
        if Principal.objects.administrators().exists():
            return
        # The page answers on the loopback alone: a link to another address would lead to nothing.
        if is_loopback(self.base_url):
            token = invite_first_administrator(actor=at_the_terminal())
            # After the #, so that no server, proxy or log ever sees it.
            address = f"{self.base_url}{reverse('admin:first_administrator')}#{token}"
            self.stdout.write(
                f"Nobody administers it yet. Open this here, once, within {MINUTES} minutes:"
                f"\n  {address}\nor type in another terminal:"
            )
        else:
            self.stdout.write("Nobody administers it yet. Type in another terminal:")
        self.stdout.write(f"  {command('createsuperuser')}")

    def up(self, options: dict[str, Any], extra: tuple[Program, ...] = ()) -> Supervisor:
        """Start everything and wait until it answers at `base_url`; return the supervisor."""
        host, port = options["host"], options["port"]
        if not serving.port_is_free(host, port):
            raise CommandError(f"Port {port} on {host} is taken. Choose another with --port.")
        if host in EVERYWHERE and PKI_BASE_URL not in os.environ:
            raise CommandError(
                f"Set {PKI_BASE_URL} to where relying parties reach this server, such as "
                f"http://pki.example.com: it is signed into every certificate, and {host} leads "
                "nowhere."
            )
        self.base_url = url_of(EVERYWHERE.get(host, host), port)
        began = time.monotonic()
        call_command("migrate", interactive=False, verbosity=0)
        self.prepare(options)
        supervisor = Supervisor(
            [*serving.programs(host=host, port=port, workers=options["workers"]), *extra]
        )
        supervisor.start()
        if not serving.wait_until_ready(self.base_url):
            supervisor.stop()
            raise CommandError(f"The server did not become ready; see {supervisor.programs[0].log}")
        self.stdout.write(f"Ready after {time.monotonic() - began:.1f} s.")
        return supervisor

    def prepare(self, options: dict[str, Any]) -> None:
        """Make what must be there before the processes start; nothing for a plain server."""
