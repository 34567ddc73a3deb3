"""`manage.py demo`: certctl with people and a CA, walked through a certificate's whole life."""

import os
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from typing_extensions import override

from certctl import serving
from certctl.demo import devices
from certctl.demo.bootstrap import PEOPLE, Folders, bootstrap, limit
from certctl.demo.enroll_walk import enroll_walk
from certctl.demo.front import Front
from certctl.demo.nginx_conf import NoFront, Ports
from certctl.demo.programs import NGINX, NoProgram, bring_openssl
from certctl.demo.steps import Failed
from certctl.demo.walk import walk
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
        parser.add_argument(
            "--enroll",
            action="store_true",
            help="start a TLS front too, and walk devices through enrollment instead",
        )
        for name, port in (("est", 8443), ("scep", 8080)):
            parser.add_argument(
                f"--{name}-port",
                type=int,
                default=port,
                help=f"where the front answers {name.upper()} ({port}); 0: any that is free",
            )

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
        self.front = self._front(options, folders) if options["enroll"] else None
        logs = settings.VAR_DIR / "logs"
        front = [self.front.program(logs / "front.log")] if self.front else []
        tls = Program(
            "tls",
            python("-m", "certctl.demo.tls_server", str(folders.site), str(self.tls_port)),
            logs / "tls.log",
        )
        supervisor = self.up(options, extra=(tls, *front))
        failures: list[Exception] = []

        def go() -> None:
            try:
                if self.front:
                    self.front.wait(logs / "front.log")
                if not options["no_walk"]:
                    self._walk(folders)
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
            raise _in_words(failures[0])

    @override
    def prepare(self, options: dict[str, Any]) -> None:
        try:
            self.told = bootstrap(base_url=self.base_url, tls_port=self.tls_port, front=self.front)
        except NoFront as error:
            raise CommandError(str(error)) from None
        # Small, so that the walk comes to what wants a second administrator.
        os.environ.setdefault("CERTCTL_BULK_REVOKE_LIMIT", str(limit()))

    def _front(self, options: dict[str, Any], folders: Folders) -> Front:
        """Return the front that is to be started, on ports that are free."""
        host = options["host"]
        for name in ("est", "scep"):
            port = options[f"{name}_port"]
            if not serving.port_is_free(host, port):
                raise CommandError(
                    f"Port {port} on {host} is taken. Choose another with --{name}-port."
                )
        wanted = [options[name] for name in ("port", "est_port", "scep_port") if options[name]]
        if len(set(wanted)) < len(wanted):
            raise CommandError("--port, --est-port and --scep-port must differ.")
        try:
            binary = NGINX.get()
        except NoProgram as error:
            raise CommandError(str(error)) from None
        return Front(
            binary=binary,
            folder=folders.front,
            host=host,
            port=options["port"],
            ports=Ports(
                plain=options["scep_port"] or _free_port(),
                people=_free_port(),
                devices=options["est_port"] or _free_port(),
            ),
        )

    def _walk(self, folders: Folders) -> None:
        if self.front:
            enroll_walk(self.told, say=self.say)
        else:
            walk(self.told, folders.site, say=self.say)

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
        if self.front:
            for protocol in devices.PROTOCOLS:
                self.say(f"  {protocol.label:<4} {self.told['front'][protocol.value]}")
            self.say(f"  the CA that verifies the front: {self.told['front']['ca']}")
        self.say("Ctrl-C ends everything; the data stays for the next start.")


def _in_words(error: Exception) -> Exception:
    """Return what ended the demo as its user is told; a fault of ours as it is."""
    if isinstance(error, NoFront):
        return CommandError(str(error))
    return CommandError(f"The walk failed: {error}") if isinstance(error, Failed) else error


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
