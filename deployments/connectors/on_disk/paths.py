"""Where files may be written: under the roots that the installation names, and nowhere else."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from foundation.errors import ConnectorError

MAX_PATH = 1024
# Room for what stands before and after the name of a file that is put aside.
MAX_NAME = 200
# macOS has no O_PATH: there a folder must be readable too, not only searchable.
_SEARCH = getattr(os, "O_PATH", os.O_RDONLY)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file's place with every symlink followed: its folder and its name there."""

    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The whole path."""
        return self.folder / self.name


def shape_error(path: object) -> str:
    """Return what is wrong with `path` as text, or "" - without a look at the file system."""
    if not isinstance(path, str) or not path:
        return "It must be a path."
    if len(path) > MAX_PATH or any(len(part) > MAX_NAME for part in path.split("/")):
        return "It is too long."
    if not path.isprintable():
        return "It contains characters that no path needs."
    if not path.startswith("/"):
        return "It must be absolute."
    # "a/./b" and "a//b" too: one file has one spelling, so that two targets can be compared.
    if any(part in {"", ".", ".."} for part in path[1:].split("/")):
        return "It must name a file, without '.', '..' or empty parts."
    return ""


def place_of(path: str, roots: Collection[str]) -> Place:
    """Follow every symlink of `path` and return where that is; it need not exist yet.

    Raises ConnectorError (permanent) for what lies outside of every root, and for everything
    where no root is named: fail closed.
    """
    wrong = shape_error(path)
    if wrong:
        raise ConnectorError(wrong, permanent=True)
    try:
        real = Path(path).resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symlinks
        raise ConnectorError(f"{path} cannot be followed.", permanent=True) from error
    if not any(root in real.parents for root in _real(roots)):
        raise ConnectorError(
            f"{path} is under none of the folders that CERTCTL_TARGET_ROOTS allows.",
            permanent=True,
        )
    return Place(real.parent, real.name)


def _real(roots: Collection[str]) -> list[Path]:
    # A relative root would depend on where the worker was started, so it counts for nothing.
    return [Path(root).resolve() for root in roots if root.startswith("/")]


def open_folder(folder: Path) -> int:
    """Open a folder by its real path, component by component, and return the descriptor.

    No component may be a symlink: `folder` was resolved, so one that is a link now was put there
    after we checked where it leads. Everything else is done relative to this descriptor.
    """
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open("/", _SEARCH | flags)
    try:
        parts = folder.parts[1:]
        for number, part in enumerate(parts, start=1):
            # The last one is opened for reading: fsync needs it.
            mode = os.O_RDONLY if number == len(parts) else _SEARCH
            deeper = os.open(part, mode | flags, dir_fd=here)
            os.close(here)
            here = deeper
    except BaseException:
        os.close(here)
        raise
    return here
