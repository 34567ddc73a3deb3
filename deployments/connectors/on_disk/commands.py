"""Programs that a deployment may start: named by the installation, without a shell."""

import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from deployments.connectors.base import is_permanent
from foundation.errors import ConnectorError

TIMEOUT = 30.0  # seconds
MAX_ARGUMENTS = 32
MAX_ARGUMENT = 1024  # characters
_KEPT = 4096  # bytes of output
_SHOWN = 500  # characters of it, in an error
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C", "HOME": "/"}
# A PEM block, whole or without its beginning or end; and what looks like a piece of one.
_SECRET = re.compile(
    r"-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\Z)|\A[^-]*-----END [^-]*-----"
    r"|[A-Za-z0-9+/=_-]{40,}",
    re.DOTALL,
)


def shape_error(arguments: object) -> str:
    """Return what is wrong with an argument list, or ""."""
    if not isinstance(arguments, list) or not arguments:
        return "It must be a list of arguments, the program first."
    if len(arguments) > MAX_ARGUMENTS:
        return f"It has more than {MAX_ARGUMENTS} arguments."
    for argument in arguments:
        if not isinstance(argument, str) or not argument:
            return "Every argument must be text."
        if len(argument) > MAX_ARGUMENT or not argument.isprintable():
            return "An argument is too long, or contains characters that no argument needs."
    return ""


def refusal(arguments: Sequence[str], programs: Collection[str]) -> str:
    """Return why that program is not started where only `programs` may be, or ""."""
    program = arguments[0]
    if not program.startswith("/"):
        return "The program must be named by its absolute path."
    if program not in programs:
        return f"{program} is not among the programs that CERTCTL_TARGET_COMMANDS allows."
    return ""


def named(name: str, programs: Collection[str]) -> str:
    """Return the one of `programs` with that file name; "" where there is none, or more."""
    absolute = {path for path in programs if path.startswith("/") and Path(path).name == name}
    return absolute.pop() if len(absolute) == 1 else ""


def run(arguments: Sequence[str], *, programs: Collection[str], what: str, permanent: bool) -> None:
    """Run one of the allowed `programs` to its end; it is handed nothing but its arguments.

    Raises ConnectorError: `permanent` as given where it ends with a failure, never permanent
    where it does not end in time, always where it may not be started or is none; what may go by,
    such as too little memory or a program that is just being replaced, may be tried again.
    """
    why = refusal(arguments, programs)
    if why:
        raise ConnectorError(why, permanent=True)
    try:
        status, output = _run(list(arguments), time.monotonic() + TIMEOUT)
    except OSError as error:
        raise ConnectorError(
            f"The {what} could not be started: {error.strerror}.", permanent=is_permanent(error)
        ) from error
    if status is None:
        raise ConnectorError(
            f"The {what} did not end within {TIMEOUT:g} seconds.{_said(output)}", permanent=False
        )
    if status != 0:
        raise ConnectorError(
            f"The {what} ended with status {status}.{_said(output)}", permanent=permanent
        )


def _run(arguments: list[str], ends: float) -> tuple[int | None, bytes]:
    """Return the exit status (None: it had to be killed) and the end of what it wrote."""
    with subprocess.Popen(  # noqa: S603 - an argument list, its program allowed by name
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_ENVIRONMENT,
        cwd="/",
        # A group of its own: what it starts is killed with it.
        start_new_session=True,
    ) as process:
        try:
            output = _read(process, ends)
            # The pipe may be closed before the end, or stay open in a daemon after it.
            process.wait(max(ends - time.monotonic(), 0))
        except subprocess.TimeoutExpired as late:
            _kill(process)
            return None, late.output or b""
        except BaseException:
            _kill(process)
            raise
        return process.returncode, output


def _read(process: "subprocess.Popen[bytes]", ends: float) -> bytes:
    assert process.stdout is not None  # noqa: S101 - stdout=PIPE
    output = b""
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < ends:
            ended = process.poll() is not None
            if selector.select(0 if ended else 0.05):
                chunk = process.stdout.read(65536)
                if not chunk:
                    return output
                output = (output + chunk)[-_KEPT:]
            elif ended:
                return output
    raise subprocess.TimeoutExpired(process.args, TIMEOUT, output)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _said(output: bytes) -> str:
    text = _SECRET.sub("[…]", output.decode(errors="replace"))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f" It said: {text[-_SHOWN:]}" if text else ""
