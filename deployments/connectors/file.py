"""Certificates as plain files, for whatever reads them; a reload command if one is given."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from deployments.connectors.base import Allowed
from deployments.connectors.fields import Field, Reading
from deployments.connectors.on_disk import commands, swap
from deployments.connectors.on_disk.files import FilesConnector
from deployments.connectors.on_disk.settings import FILES, RELOAD, Settings


class FileConnector(FilesConnector):
    """Writes files and runs `reload`, if there is one."""

    FIELDS: ClassVar[tuple[Field, ...]] = (*FILES, RELOAD)
    SECRETS: ClassVar[tuple[str, ...]] = ()
    # The lock; a reload of what a worker left behind, one of the new files, one of the old ones.
    longest: ClassVar[timedelta] = timedelta(seconds=swap.LOCK_WAIT + 3 * commands.TIMEOUT)

    @classmethod
    def configured(
        cls, config: Mapping[str, Any], secrets: Mapping[str, str], *, allowed: Allowed | None
    ) -> Self:
        """Read what files have."""
        return cls(Settings.of(Reading(cls.FIELDS, config, allowed)), allowed or Allowed())
