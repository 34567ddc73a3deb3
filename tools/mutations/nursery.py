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
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType

KILLED = -1  # answered in place of an exit status where a run did not end in time


def main() -> None:
    """Load the modules that pytest needs for the tests named on the command line; then serve."""
    root = Path.cwd()
    preload(_needed(sys.argv[1:], root), root)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(_run(**order)), flush=True)


def preload(names: Iterable[str], root: Path) -> None:
    """Import each of the modules that can be imported without any of those below `root`.

    What needs Django's settings does not come so far, and is left to the copies.
    """
    warnings.simplefilter("ignore")
    for name in names:
        if name not in sys.modules and _in_copy(lambda name=name: _is_clean(name, root)):
            importlib.import_module(name)
    warnings.resetwarnings()


def _needed(tests: list[str], root: Path) -> list[str]:
    """Return the names of the modules that pytest has loaded after collecting `tests`."""
    reader, writer = os.pipe()

    def collect() -> bool:
        import pytest  # noqa: PLC0415 - in a copy only

        _redirect(os.devnull)
        pytest.main(["--collect-only", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])
        names = [name for name, module in sys.modules.items() if not _is_ours(module, root)]
        with os.fdopen(writer, "w") as out:
            out.write("\n".join(names))
        return True

    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _exit_with(collect)
    os.close(writer)
    with os.fdopen(reader) as said:
        names = said.read().split()
    os.waitpid(pid, 0)
    return names


def _is_clean(name: str, root: Path) -> bool:
    before = set(sys.modules)
    importlib.import_module(name)
    return not any(_is_ours(sys.modules[new], root) for new in set(sys.modules) - before)


def _is_ours(module: ModuleType, root: Path) -> bool:
    file = getattr(module, "__file__", None)
    path = Path(file) if file else None
    return path is not None and root in path.parents and ".venv" not in path.parts


def _in_copy(work: Callable[[], bool]) -> bool:
    """Do something in a copy of this process; return whether it came out true."""
    pid = os.fork()
    if pid == 0:
        _redirect(os.devnull)
        _exit_with(work)
    _, status = os.waitpid(pid, 0)
    return status == 0


def _exit_with(work: Callable[[], bool]) -> None:
    status = 1
    with suppress(BaseException):
        status = 0 if work() else 1
    os._exit(status)


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
        _redirect(output)
        os.environ.update(environment)
        import pytest  # noqa: PLC0415 - in a copy only

        # Not os._exit: what the tests left to be done at the end is done.
        sys.exit(pytest.main(arguments))
    for _ in _until(time.monotonic() + timeout):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return KILLED


def _until(ends: float) -> Iterator[None]:
    while time.monotonic() < ends:
        yield
        time.sleep(0.02)


if __name__ == "__main__":
    main()
