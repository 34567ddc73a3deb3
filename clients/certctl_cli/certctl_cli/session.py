"""What every command that asks the server has: the options for context and form, and the API."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click

from certctl_cli import output

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Session:
    """The API of the chosen context, and the form in which answers are shown."""

    api: Any  # Api: its module is read only where a command runs
    form: str

    def rows(self, rows: Any, columns: Any, *, name: str = "id", nothing: str = "") -> None:
        """Print a list."""
        output.show_rows(rows, form=self.form, columns=columns, name=name, nothing=nothing)

    def row(self, row: dict[str, Any], *, name: str = "id", leave: Any = ()) -> None:
        """Print one thing."""
        output.show_row(row, form=self.form, name=name, leave=leave)

    def job(self, row: dict[str, Any]) -> None:
        """Print where a job stands: in a line for a person, whole for a program."""
        if self.form != "table":
            self.row(row)
            return
        from certctl_cli import waiting  # noqa: PLC0415 - start-up

        click.echo(waiting.state(row))
        click.echo(f"job {row['id']}")


def asks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--context` and `--output`, and hand it a Session first."""

    @click.option("--context", help="The server and key to use: see certctl context list.")
    @click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(output.FORMS),
        default="table",
        help="How the answer is shown.",
    )
    @wraps(command)
    def run(context: str | None, form: str, **arguments: Any) -> None:
        # Here and not above: `certctl --help` needs no HTTP.
        from certctl_cli import contexts  # noqa: PLC0415
        from certctl_cli.api import Api  # noqa: PLC0415

        if arguments.get("offline"):  # what needs no server needs no login
            command(Session(None, form), **arguments)
            return
        with Api(contexts.chosen(context)) as api:
            command(Session(api, form), **arguments)

    return run
