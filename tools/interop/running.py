"""Foreign programs are run here: with a bound of time, in a folder, what they say kept."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.interop.packages import PATH

SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended and what it said."""

    status: int
    out: bytes
    said: str

    def expect(self, *statuses: int) -> "Ended":
        """Return it where it ended with one of these; raises AssertionError with its words."""
        if self.status not in statuses:
            raise AssertionError(f"ended with {self.status}: {self.said[-1500:]}")
        return self


def run(
    *command: str | Path, folder: Path, stdin: bytes | None = None, seconds: float = SECONDS
) -> Ended:
    """Run a program to its end."""
    return finish(start(*command, folder=folder), stdin=stdin, seconds=seconds)


def start(*command: str | Path, folder: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Start a program; `finish` waits for it."""
    arguments: Sequence[str] = [str(part) for part in command]
    options: dict[str, Any] = {"cwd": folder, "env": {"PATH": PATH, "LC_ALL": "C", **environment}}
    return subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def finish(
    process: "subprocess.Popen[bytes]", *, stdin: bytes | None = None, seconds: float = SECONDS
) -> Ended:
    """Wait for a program; raises AssertionError where it takes longer than `seconds`."""
    try:
        out, said = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, said = process.communicate()
        raise AssertionError(f"not over after {seconds:.0f} s: {said[-1500:]!r}") from None
    return Ended(process.returncode, out, said.decode(errors="replace"))


def while_it_asks(process: "subprocess.Popen[bytes]", decide: Callable[[], None]) -> None:
    """Have somebody decide while a program asks; where there is nothing to decide, say its words.

    Raises AssertionError.
    """
    try:
        decide()
    except AssertionError as error:
        process.kill()
        _, said = process.communicate()
        raise AssertionError(f"{error} {said.decode(errors='replace')[-1500:]}") from None
