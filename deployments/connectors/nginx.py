"""Certificates for NGINX: its own test of the configuration decides before it is reloaded."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from deployments.connectors import commands
from deployments.connectors.fields import Fields
from deployments.connectors.files import FilesConnector, read_settings


class NginxConnector(FilesConnector):
    """Writes files, runs `nginx -t`, then `nginx -s reload`."""

    SECRETS: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def configured(
        cls, config: Mapping[str, Any], secrets: Mapping[str, str], *, local: bool
    ) -> Self:
        """Read what files have, and test and config_path.

        Without `test` and `reload` it is the allowed program named nginx that is asked, with
        `-c config_path` where that is given.
        """
        keys = Fields(config, local=local)
        config_path = keys.any_path("config_path")
        program = commands.allowed("nginx") if local else "nginx"
        if not program and not (config.get("test") and config.get("reload")):
            keys.wrong(
                "test",
                "command_not_allowed",
                "CERTCTL_TARGET_COMMANDS allows no nginx, or several: give test and reload.",
            )
        where = ["-c", config_path] if config_path else []
        settings = read_settings(
            keys,
            with_test=True,
            test=[program, "-t", *where] if program else None,
            reload=[program, *where, "-s", "reload"] if program else None,
        )
        keys.finish()
        return cls(settings)
