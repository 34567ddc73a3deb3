"""Files that the command writes: whole or not at all, and a secret readable by its owner alone."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from certctl_cli.errors import Stop
from certctl_cli.exits import Exit

_PRIVATE = 0o600
_PUBLIC = 0o644


def write(path: Path, content: bytes, *, private: bool = False, replace: bool = False) -> None:
    """Put `content` at `path`, on disk when this returns; `private`: mode 0600 from the first byte.

    Raises Stop where something is there and `replace` is not said, or where it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(
            beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE if private else _PUBLIC
        )
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                beside.replace(path)
            else:
                # Unlike a look before it, a link fails where somebody was faster.
                os.link(beside, path)
        finally:
            with suppress(FileNotFoundError):
                beside.unlink()
    except FileExistsError:
        raise Stop(
            f"{path} is there already, and is not overwritten.",
            Exit.CONFLICT,
            hint="Name another file, or say --force.",
        ) from None
    except OSError as error:
        raise Stop(f"{path} cannot be written: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class Place:
    """A file that is known to be writable: of mode 0600, and empty until it is written."""

    path: Path

    def write(self, secret: str) -> None:
        """Put a secret in it, in a line of its own."""
        write(self.path, secret.encode() + b"\n", private=True, replace=True)


@contextmanager
def reserved(path: Path | None) -> Iterator[Place | None]:
    """Hold a place for a secret that is shown once, before it is asked for; None: no file.

    Raises Stop where it cannot be written; what ends with an error leaves no empty file behind.
    """
    if path is None:
        yield None
        return
    write(path, b"", private=True)
    try:
        yield Place(path)
    except BaseException:
        if not path.stat().st_size:
            path.unlink()
        raise


def read(path: Path) -> bytes:
    """Return the content of a file that a person named; raises Stop."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Stop(f"{path} cannot be read: {error.strerror}.", Exit.USAGE) from error
