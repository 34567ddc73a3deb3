"""How a command ends that cannot go on: words for a person, a number for a script."""

from typing import IO, Any

import click
from typing_extensions import override

from certctl_cli.exits import Exit
from certctl_cli.text import harmless


class Stop(click.ClickException):
    """The command ends here; `hint` says what to try."""

    def __init__(self, message: str, exit_: Exit = Exit.FAILED, *, hint: str = "") -> None:
        super().__init__(harmless(message))
        self.exit_code = int(exit_)  # type: ignore[misc] # click has it of the class
        self.hint = harmless(hint)

    @override
    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"certctl: {self.message}", err=True)
        if self.hint:
            click.echo(f"  {self.hint}", err=True)


class Problem(Stop):
    """The server's answer was a problem (RFC 9457): its own words, its code, its fields."""

    def __init__(self, message: str, exit_: Exit, *, code: str, hint: str = "") -> None:
        super().__init__(message, exit_, hint=hint)
        self.code = code
