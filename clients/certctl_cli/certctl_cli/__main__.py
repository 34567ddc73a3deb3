"""The command `certctl`: each of its commands is read only when it is called."""

import os
import sys
from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from certctl_cli import __version__

_BY_HAND = 130  # as shells have it: 128 and SIGINT
COMMANDS = {
    "login": ("login", "Keep a server's address and your key for it."),
    "context": ("login", "List, choose and remove what login kept; set what is usual there."),
    "status": ("status", "Who you are, what waits, what ends soon."),
    "doctor": ("status", "See why something does not work: address, TLS, clock, key, rights."),
    "list": ("reading", "List things, narrowed by the API's own filters."),
    "get": ("reading", "List things, or show one of them."),
    "show": ("reading", "Show one thing, by its id or name."),
    "request": ("request", "Make a key and ask for a certificate; the key stays here."),
    "renew": ("acts", "Ask for the next version of a certificate."),
    "deploy": ("acts", "Ask to have a certificate put in place at a target."),
    "verify": ("acts", "Ask for a handshake that proves what is served."),
    "cancel": ("acts", "Withdraw a request that is not done yet."),
    "retry": ("acts", "Have a failed job tried again."),
    "wait": ("acts", "Wait for a job to end."),
    "approve": ("decide", "Look at what would be done, and agree to it."),
    "reject": ("decide", "Look at what would be done, and say no."),
    "revoke": ("revoke", "Make a certificate bad before its end."),
    "release": ("revoke", "Take a certificate off hold: it is good again."),
    "plan": ("plan", "Revoke many: make, show, confirm, watch and stop plans."),
    "import": ("importing", "Put certificates from files or a TLS server into the inventory."),
    "export": ("exporting", "Write a certificate to a file; never its key."),
    "ca": ("ca", "Fetch CA certificates; check chain, CRL and OCSP of any certificate."),
    "audit": ("audit", "Read the audit trail; verify an export of it."),
    "agent": ("agent", "List, show and retire agents; make their tokens."),
    "target": ("things", "List, show, make, test and remove targets."),
    "keys": ("things", "List, make and disable API keys."),
    "completion": ("completion", "Print the shell's completion."),
}


class Lazy(click.Group):
    """A group whose commands are modules that stay unread until they are needed."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"certctl_cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(args[0], COMMANDS, n=2)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 not found, 5 conflict, 6 waiting, "
    "130 Ctrl-C.",
)
@click.version_option(__version__, prog_name="certctl")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Certificates from the command line: ask, approve, deploy, revoke, check.

    \b
    certctl login https://certctl.example.internal
    certctl request web.example.internal --profile tls-server --owner "Web platform" --wait
    certctl list certificates --status Expiring
    """  # noqa: D301 - \b is click's word for lines that stay as they are
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> Any:
    """Run the command; a reader that closed the pipe early is no fault."""
    try:
        cli.main(prog_name="certctl", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort as error:
        # click has one word for Ctrl-C and for the end of what is typed; a shell has two.
        by_hand = isinstance(error.__cause__ or error.__context__, KeyboardInterrupt)
        click.echo("certctl: Stopped.", err=True)
        sys.exit(_BY_HAND if by_hand else 1)
    except BrokenPipeError:
        # What is still buffered must not be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
