"""Certificates as plain files, for whatever reads them; a reload command if one is given."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from deployments.connectors.fields import Fields
from deployments.connectors.files import FilesConnector, read_settings


class FileConnector(FilesConnector):
    """Writes files and runs `reload`, if there is one."""

    SECRETS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def configured(
        cls, config: Mapping[str, Any], secrets: Mapping[str, str], *, local: bool
    ) -> Self:
        """Read certificate_path, chain_path, key_path, fullchain, mode, owner, group, reload."""
        keys = Fields(config, local=local)
        settings = read_settings(keys)
        keys.finish()
        return cls(settings)
