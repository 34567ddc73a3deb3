"""What every connector to a target is and does, and the words that it uses."""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from foundation.errors import ConnectorError

if TYPE_CHECKING:
    from deployments.connectors.fields import Field

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
class Allowed:
    """What the machine that a connector runs on lets it do; nothing where nothing is named."""

    roots: Collection[str] = ()
    programs: Collection[str] = ()


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

    @property
    def takes_key(self) -> bool:
        """Whether the target as it is configured keeps the key, where the server made one."""

    def deploy(self, material: Material, *, before_swap: Callable[[], None]) -> Outcome:
        """Put `material` in place and have it served, or change nothing.

        `before_swap` is called at the last moment, with the target's files locked; what it raises
        stops the deployment. Raises ConnectorError, `permanent` where trying again cannot help.
        """

    def check(self) -> list[Check]:
        """Look whether a deployment could succeed, without changing anything."""


class ConnectorClass(Protocol):
    """What can be asked of a connector before there is a target.

    `FIELDS` describes the keys of its configuration: they are read, documented and shown from it.
    `SECRETS` names those that are credentials: they stand in no configuration and are never shown.
    `longest` is what the time limits of one deployment add up to.
    """

    FIELDS: "Sequence[Field]"
    SECRETS: Collection[str]
    longest: timedelta

    def configured(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *, allowed: Allowed | None
    ) -> Connector:
        """Read the configuration strictly; raises Invalid with a FieldError for each mistake.

        `allowed` is what the machine allows; with None that is not asked, as for what an agent
        carries elsewhere.
        """


def is_permanent(error: OSError) -> bool:
    """Whether trying again cannot help: a full disk or a busy program goes by, a path does not."""
    return error.errno in _PERMANENT


@contextmanager
def as_connector_errors() -> Iterator[None]:
    """Turn an OSError into a ConnectorError that says whether trying again may help."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if isinstance(error.filename, str) else ""
        raise ConnectorError(
            f"{error.strerror or type(error).__name__}{where}.", permanent=is_permanent(error)
        ) from error
