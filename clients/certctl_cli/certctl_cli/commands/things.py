"""`target` and `keys`: what is set up once."""

import json
import uuid
from pathlib import Path
from typing import Any

import click

from certctl_cli import files, output
from certctl_cli.commands.reading import narrowed, shown
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES, id_of, one_of
from certctl_cli.session import Session, asks


@click.group()
def target() -> None:
    """List, show, make, test and remove targets."""


@target.command(
    epilog="For instance: certctl target make web-1 --kind nginx --config nginx.json "
    "--host web-1.internal"
)
@click.argument("name")
@click.option("--kind", required=True, help="As file or nginx.")
@click.option(
    "--config", type=click.Path(path_type=Path), required=True, help="Its settings, as JSON."
)
@click.option("--host", "endpoint_host", help="Where a handshake proves what is served.")
@click.option("--port", "endpoint_port", type=int, help="The port of that.")
@click.option("--server-name", help="The name to ask for in the handshake, where it is another.")
@asks
def make(session: Session, name: str, config: Path, **said: Any) -> None:
    """Make a target: a place where certificates are put."""
    try:
        settings = json.loads(files.read(config))
    except ValueError as error:
        raise Stop(f"{config} is no JSON: {error}", Exit.USAGE) from error
    body = {"name": name, "config": settings, **{key: v for key, v in said.items() if v}}
    session.row(session.api.post("targets/", body, once=str(uuid.uuid4())), name="name")


@target.command(epilog="For instance: certctl target test web-1")
@click.argument("word", metavar="ID|NAME")
@asks
def test(session: Session, word: str) -> None:
    """Look whether a target could be written to; nothing is written."""
    id_ = id_of(session.api, RESOURCES["targets"], word)
    result = session.api.post(f"targets/{id_}/test/")
    session.rows(result["checks"], ("name", "ok", "detail"), name="name")
    if not result["ok"]:
        raise Stop("It would not work yet.")


@target.command(epilog="For instance: certctl target remove web-1")
@click.argument("word", metavar="ID|NAME")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@asks
def remove(session: Session, word: str, yes: bool) -> None:
    """Remove a target that nothing is bound to."""
    row = one_of(session.api, RESOURCES["targets"], word)
    if not yes and click.prompt("Type its name to remove it", err=True) != row["name"]:
        raise Stop("That is not its name. Nothing was removed.")
    session.api.send("DELETE", f"targets/{row['id']}/")
    output.say("It is removed.")


target.add_command(narrowed(RESOURCES["targets"], "list"))
target.add_command(shown(RESOURCES["targets"]))


@click.group()
def keys() -> None:
    """List, make and disable API keys; for administrators."""


@keys.command(epilog="For instance: certctl keys create ci-2026 --principal ci --role operator")
@click.argument("name")
@click.option("--principal", required=True, help="Whose key it is.")
@click.option("--role", "role_cap", required=True, help="At most what that role may do.")
@click.option("--expires", "expires_at", help="As 2027-01-31T00:00:00Z.")
@click.option("--network", "allowed_networks", multiple=True, help="Only from there: a CIDR.")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Where to write the key (0600); else printed."
)
@asks
def create(session: Session, name: str, principal: str, file: Path | None, **said: Any) -> None:
    """Make an API key. It is shown this once, and stored nowhere."""
    body = {key: list(v) if isinstance(v, tuple) else v for key, v in said.items() if v}
    body |= {"name": name, "principal": id_of(session.api, RESOURCES["principals"], principal)}
    with files.reserved(file) as place:
        made = session.api.post("api-keys/", body, once=str(uuid.uuid4()))
        if place is not None:
            place.write(made.pop("key"))
    session.row(made, name="name" if file else "key")


@keys.command(epilog="For instance: certctl keys disable ci-2026")
@click.argument("word", metavar="ID|NAME")
@asks
def disable(session: Session, word: str) -> None:
    """Disable an API key for good."""
    id_ = id_of(session.api, RESOURCES["api-keys"], word)
    session.row(session.api.post(f"api-keys/{id_}/disable/"), name="name")


keys.add_command(narrowed(RESOURCES["api-keys"], "list"))

COMMANDS = {"target": target, "keys": keys}
