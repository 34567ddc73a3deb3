"""A Python that has loaded what others wrote, and is copied for each run of pytest.

Most of a short run of pytest is spent on imports that no mutation changes. This process makes
them once; `fork` then gives each run a fresh copy, in which our own code is imported anew. It
reads one order a line from its standard input, as JSON, and answers each with one line.
"""

import importlib
import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

KILLED = -1  # answered in place of an exit status where a run did not end in time


def main() -> None:
    """Load the modules that pytest needs for the tests named on the command line, then serve.

    Without any nothing is loaded beforehand.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    root = Path.cwd()
    if sys.argv[1:]:
        preload(_needed(sys.argv[1:], root), root)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_run(**order)), flush=True)


def preload(names: Sequence[str], root: Path) -> None:
    """Import each of the modules that can be imported without any of those below `root`.

    What needs Django's settings does not come so far, and is left to the copies.
    """
    warnings.simplefilter("ignore")
    while names:
        clean, seen = _tried(names, root)
        for name in clean:
            # One may need what the copy had loaded with another that was not clean.
            with suppress(Exception):
                importlib.import_module(name)
        names = names[seen:]
    warnings.resetwarnings()


def _tried(names: Sequence[str], root: Path) -> tuple[list[str], int]:
    """Import modules in a copy, up to the first that brings some of ours with it.

    Return those that can be imported, and of how many that is known now.
    """

    def look() -> tuple[list[str], int]:
        clean: list[str] = []
        known = set(sys.modules)
        for seen, name in enumerate(names, start=1):
            done = False
            with suppress(Exception):
                importlib.import_module(name)
                done = True
            fresh = set(sys.modules) - known
            if any(_is_ours(sys.modules[one], root) for one in fresh):
                return clean, seen
            known |= fresh
            clean += [name] if done else []
        return clean, len(names)

    clean, seen = _in_copy(look)
    return clean, seen


def _needed(tests: list[str], root: Path) -> list[str]:
    """Return the names of the modules that pytest has loaded after collecting `tests`."""

    def collect() -> list[str]:
        import pytest  # noqa: PLC0415 - in a copy only

        pytest.main(["--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])
        return [name for name, module in sys.modules.items() if not _is_ours(module, root)]

    names: list[str] = _in_copy(collect)
    return names


def _is_ours(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    path = Path(file) if file else None
    return path is not None and root in path.parents and ".venv" not in path.parts


def _in_copy(work: Callable[[], Any]) -> Any:
    """Do something in a copy of this process, silently; return what it returned."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _redirect(os.devnull)
        with suppress(BaseException), os.fdopen(writer, "w") as out:
            json.dump(work(), out)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        text = said.read()
    os.waitpid(pid, 0)
    return json.loads(text)


def _redirect(output: str) -> None:
    """Read nothing and write to a file, this process and whatever it starts."""
    nothing, file = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(nothing, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _run(*, arguments: list[str], environment: dict[str, str], output: str, timeout: float) -> int:
    """Run pytest in a copy that writes to `output`; return its exit status."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _redirect(output)
        os.environ.update(environment)
        import pytest  # noqa: PLC0415 - in a copy only

        # Not os._exit: what the tests left to be done at the end is done.
        sys.exit(pytest.main(arguments))
    try:
        for _ in _until(time.monotonic() + timeout):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
    except SystemExit:
        _kill(pid)
        raise
    _kill(pid)
    return KILLED


def _kill(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _until(ends: float) -> Iterator[None]:
    while time.monotonic() < ends:
        yield
        time.sleep(0.02)


if __name__ == "__main__":
    main()
