"""The settings that all kinds share whose certificates are files."""

from dataclasses import dataclass
from typing import Self

from deployments.connectors.fields import Field, Flag, Holds, Reading
from deployments.connectors.on_disk.types import Account, Command, Mode, Path, gid_of, uid_of

FILES = (
    Field(
        "certificate_path",
        Path(),
        "The file of the certificate.",
        "/etc/nginx/tls/web/fullchain.pem",
        required=True,
        holds=Holds.CERTIFICATES,
    ),
    Field(
        "fullchain",
        Flag(),
        "Whether certificate_path holds what stands above the certificate too, without the root; "
        "else it is the certificate alone.",
        example=True,
        default=True,
    ),
    Field(
        "chain_path",
        Path(),
        "A file for what stands above the certificate, with the root.",
        "/etc/nginx/tls/web/chain.pem",
        holds=Holds.CERTIFICATES,
    ),
    Field(
        "key_path",
        Path(),
        "The file of the private key: read, to see whether the certificate fits; written only "
        "where the server made the key.",
        "/etc/nginx/tls/web/key.pem",
        holds=Holds.KEY,
    ),
    Field(
        "mode",
        Mode(),
        "Permissions of certificate and chain in octal; a key is always 0600.",
        "0644",
    ),
    Field("owner", Account(uid_of), "Who the files belong to, by name or number.", "root"),
    Field("group", Account(gid_of), "Which group they belong to, by name or number.", "www-data"),
)
RELOAD = Field(
    "reload",
    Command(),
    "What is started when the files are in place: an argument list, the program first.",
    ["/usr/local/sbin/reload-web"],
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the files are, what they are like, and which programs have them served."""

    certificate_path: str
    chain_path: str
    key_path: str
    fullchain: bool
    mode: int | None
    owner: str
    group: str
    reload: tuple[str, ...]
    test: tuple[str, ...] = ()
    config_path: str = ""

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Return what was read; raises Invalid with a FieldError for each mistake."""
        files = ("certificate_path", "chain_path", "key_path")
        named = [reading.values[key] for key in files if reading.values[key]]
        if len(set(named)) != len(named):
            reading.wrong(
                "certificate_path", "duplicate_path", "Each file needs a path of its own."
            )
        return cls(**reading.finish())
