"""The nginx.conf that we ship, with other ports and folders: text in, text out."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from certctl.embedded import BASE, bracketed

SHIPPED = BASE / "deploy" / "nginx" / "nginx.conf"


class NoFront(Exception):
    """The front cannot be started; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the front listens: plain http, https for people, https for devices."""

    plain: int
    people: int
    devices: int


def config(*, host: str, upstream: str, ports: Ports) -> str:
    """Return the shipped nginx.conf with these addresses in it, and its folders made relative.

    What it names relatively is looked for in the folder of the file, which is given to nginx as
    its prefix too; so a folder with a space in its name needs no quotes. Raises NoFront where the
    file does not say what is to be replaced.
    """
    text = re.sub(r" +listen \[::\].*\n", "", SHIPPED.read_text())  # `host` is all that is wanted
    address = bracketed(host)
    for old, new in {
        " /tmp/": " ",
        "listen 80 ": f"listen {address}:{ports.plain} ",
        # Of no use to anybody here: people have the web server's own port.
        "listen 443 ": f"listen 127.0.0.1:{ports.people} ",
        "listen 8443 ": f"listen {address}:{ports.devices} ",
        "server web:8000": f"server {upstream}",
        "/etc/nginx/tls/": "",
        "root /var/lib/certctl/pki": "root pki",
    }.items():
        if old not in text:
            raise NoFront(f"{SHIPPED} has no {old.strip()!r}.")
        text = text.replace(old, new)
    return text


def arguments(binary: Path, folder: Path, *, errors: Path) -> list[str]:
    """Return the command that runs nginx in the foreground on `folder`/nginx.conf."""
    # As root nginx would give its workers to an account that this machine may not have.
    user = "user root; " if os.geteuid() == 0 else ""
    return [
        *(str(binary), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(errors)),
        *("-g", f"{user}daemon off;"),
    ]
