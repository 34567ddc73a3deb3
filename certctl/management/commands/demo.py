"""`manage.py demo`: certctl with people and a CA, walked through a certificate's whole life."""

import socket
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from certctl.demo.bootstrap import PEOPLE, Folders, bootstrap
from certctl.demo.programs import NoProgram, bring_openssl
from certctl.demo.walk import Failed, walk
from certctl.embedded import python
from certctl.management.commands import serve
from certctl.supervisor import Program


class Command(serve.Command):
    """Start everything, walk the lifecycle through real HTTP and the real worker, stay up."""

    help = "Run certctl with demo data and walk one certificate through its whole life."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-walk", action="store_true", help="start only")
        parser.add_argument("--exit", action="store_true", help="end after the walk")

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal ends it, or until the walk did where --exit says so."""
        # Asked before anything starts, not in the middle of the walk.
        if not options["no_walk"]:
            try:
                bring_openssl()
            except NoProgram as error:
                raise CommandError(f"{error} (or start with --no-walk).") from None
        self.tls_port = _free_port()
        folders = Folders.under(settings.VAR_DIR)
        tls = Program(
            "tls",
            python("-m", "certctl.demo.tls_server", str(folders.site), str(self.tls_port)),
            settings.VAR_DIR / "logs" / "tls.log",
        )
        supervisor = self.up(options, extra=(tls,))
        failures: list[Exception] = []

        def go() -> None:
            try:
                if not options["no_walk"]:
                    walk(self.told, folders.site, say=self.say)
                self.welcome()
            except Exception as error:  # noqa: BLE001 - whatever it was, it ends the demo
                failures.append(error)
                supervisor.stopping.set()
            else:
                if options["exit"]:
                    supervisor.stopping.set()

        walker = threading.Thread(target=go, daemon=True)
        try:
            walker.start()
            supervisor.watch()
        finally:
            supervisor.stop()
        if failures:
            if not isinstance(failures[0], Failed):
                raise failures[0]
            raise CommandError(f"The walk failed: {failures[0]}")

    @override
    def prepare(self, options: dict[str, Any]) -> None:
        self.told = bootstrap(base_url=self.base_url, tls_port=self.tls_port)

    def say(self, text: str) -> None:
        """Print a line at once."""
        self.stdout.write(text)
        self.stdout.flush()

    def welcome(self) -> None:
        """Print where to go and who can log in."""
        self.say("")
        self.say(self.style.SUCCESS(f"certctl is up: {self.told['base_url']}/admin/"))
        for name in PEOPLE:
            person = self.told[name]
            self.say(
                f"  {name:<7} {person['role']:<9} password {person['password']}   {person['what']}"
            )
        self.say(f"  API keys and all of the above: {Folders.under(settings.VAR_DIR).file}")
        self.say(f"  TLS server of the demo: https://127.0.0.1:{self.tls_port}/")
        self.say("Ctrl-C ends everything; the data stays for the next start.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
