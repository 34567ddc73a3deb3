"""What every connector to a target is and does, and the words that it uses."""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from foundation.errors import ConnectorError

# Trying again does not cure these: somebody must change a path or a permission first.
_PERMANENT = frozenset(
    {
        errno.EACCES,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOEXEC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


@dataclass(frozen=True, slots=True)
class Material:
    """What is to be served: certificates as PEM, and the key only where the server made it."""

    leaf_pem: str
    chain_pem: str
    fingerprint: str
    key_fingerprint: str
    key_pem: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment did: `changed` is False where everything was in place already."""

    changed: bool
    fingerprint: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at without changing anything."""

    name: str
    ok: bool
    detail: str


class Connector(Protocol):
    """Speaks to one target; made by `configured`, used once, holds no connection."""

    def deploy(self, material: Material, *, before_swap: Callable[[], None]) -> Outcome:
        """Put `material` in place and have it served, or change nothing.

        `before_swap` is called at the last moment, with the target's files locked; what it raises
        stops the deployment. Raises ConnectorError, `permanent` where trying again cannot help.
        """

    def check(self) -> list[Check]:
        """Look whether a deployment could succeed, without changing anything."""


class ConnectorClass(Protocol):
    """What can be asked of a connector before there is a target."""

    SECRETS: Collection[str]

    def configured(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *, local: bool
    ) -> Connector:
        """Read the configuration strictly; raises Invalid with a FieldError for each mistake.

        `local` also asks whether this server allows its paths and programs, which is not asked
        of what an agent carries elsewhere.
        """


@contextmanager
def as_connector_errors() -> Iterator[None]:
    """Turn an OSError into a ConnectorError that says whether trying again may help."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if isinstance(error.filename, str) else ""
        raise ConnectorError(
            f"{error.strerror or type(error).__name__}{where}.",
            permanent=error.errno in _PERMANENT,
        ) from error
