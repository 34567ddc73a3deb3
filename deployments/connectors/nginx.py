"""Certificates for NGINX: its own test of the configuration decides before it is reloaded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Self

from deployments.connectors.base import Allowed
from deployments.connectors.fields import Field, Reading
from deployments.connectors.on_disk import commands, paths, swap
from deployments.connectors.on_disk.files import FilesConnector
from deployments.connectors.on_disk.settings import FILES, RELOAD, Settings
from deployments.connectors.on_disk.types import Command, Path

TEST = Field(
    "test",
    Command(),
    "What is asked before that, whether the server would start; by default `nginx -t`.",
    ["/usr/sbin/nginx", "-t"],
)
CONFIG_PATH = Field(
    "config_path",
    Path(ours=False),
    "NGINX's own configuration, handed to both defaults as -c.",
    "/etc/nginx/nginx.conf",
)


class NginxConnector(FilesConnector):
    """Writes files, runs `nginx -t`, then `nginx -s reload`."""

    FIELDS: ClassVar[tuple[Field, ...]] = (
        *FILES,
        TEST,
        replace(RELOAD, help=f"{RELOAD.help[:-1]}; by default `nginx -s reload`."),
        CONFIG_PATH,
    )
    SECRETS: ClassVar[tuple[str, ...]] = ()
    # The lock; a reload of what a worker left behind, test and reload, a reload of the old files.
    longest: ClassVar[timedelta] = timedelta(seconds=swap.LOCK_WAIT + 4 * commands.TIMEOUT)

    @classmethod
    def configured(
        cls, config: Mapping[str, Any], secrets: Mapping[str, str], *, allowed: Allowed | None
    ) -> Self:
        """Read what files have, and test and config_path.

        Without `test` and `reload` it is the allowed program named nginx that is asked, with
        `-c config_path` where that is given.
        """
        program = "nginx" if allowed is None else commands.named("nginx", allowed.programs)
        reading = Reading(
            cls.FIELDS, config, allowed, _defaults(program, config.get("config_path"))
        )
        if not program and not (config.get("test") and config.get("reload")):
            reading.wrong(
                "test",
                "command_not_allowed",
                "CERTCTL_TARGET_COMMANDS allows no nginx, or several: give test and reload.",
            )
        return cls(Settings.of(reading), allowed or Allowed())


def _defaults(program: str, config_path: object) -> dict[str, list[str]]:
    if not program:
        return {}
    where = [] if paths.shape_error(config_path) else ["-c", str(config_path)]
    return {"test": [program, "-t", *where], "reload": [program, *where, "-s", "reload"]}
