"""`agent`: agents on their hosts, what depends on them, and the tokens that they register with."""

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

_AGENTS = RESOURCES["agents"]
_TOKENS = RESOURCES["agent-tokens"]


@click.group()
def agent() -> None:
    """List, show and retire agents; make the tokens that they register with."""


@agent.command(epilog="For instance: certctl agent dependents web-1")
@click.argument("word", metavar="ID|NAME")
@asks
def dependents(session: Session, word: str) -> None:
    """Show what depends on an agent: its targets, what is served there, its open work."""
    answer = session.api.get(f"agents/{id_of(session.api, _AGENTS, word)}/dependents/")
    rows = [
        {"kind": kind, "name": row["name"], "id": row["id"]}
        for kind, plural in (
            ("target", "targets"),
            ("certificate", "certificates"),
            ("job", "jobs"),
        )
        for row in answer[plural]
    ]
    total = answer["target_count"] + answer["certificate_count"] + answer["job_count"]
    session.rows(rows, ("kind", "name", "id"), name="name", nothing="Nothing depends on it.")
    if total > len(rows):
        output.say(f"({len(rows)} of {total}: the first 50 of each kind)")


@agent.command(epilog="For instance: certctl agent retire web-1 --yes")
@click.argument("word", metavar="ID|NAME")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@asks
def retire(session: Session, word: str, yes: bool) -> None:
    """Let an agent in no more and end its open work; its name is never used again.

    Its targets stay, and nothing is put there until another agent has them.
    """
    row = one_of(session.api, _AGENTS, word)
    if not yes:
        _ask(session, row)
    session.row(session.api.post(f"agents/{row['id']}/retire/"), name="name")


def _ask(session: Session, row: dict[str, Any]) -> None:
    if not output.somebody_is_there():
        raise Stop("Nobody is there to answer: this is no terminal.", Exit.USAGE, hint="Say --yes.")
    answer = session.api.get(f"agents/{row['id']}/dependents/")
    output.say(
        f"{row['name']}: {answer['target_count']} targets, {answer['certificate_count']} "
        f"certificates that are served there, {answer['job_count']} open jobs"
    )
    if click.prompt("Type its name to retire it", err=True) != row["name"]:
        raise Stop("That is not its name. Nothing was retired.")


@agent.group()
def token() -> None:
    """Registration tokens: each lets one agent in, once."""


@token.command(epilog="For instance: certctl agent token create web-1 --file web-1.token")
@click.argument("name")
@click.option("--network", "networks", multiple=True, help="Only from there: a CIDR.")
@click.option("--expires", "expires_at", help="As 2027-01-31T00:00:00Z; a day unless said.")
@click.option(
    "--file", type=click.Path(path_type=Path), help="Where to write it (0600); else printed."
)
@asks
def create(session: Session, name: str, file: Path | None, **said: Any) -> None:
    """Make a token for the agent NAME. It is shown this once, and stored nowhere."""
    body = {key: list(v) if isinstance(v, tuple) else v for key, v in said.items() if v}
    with files.reserved(file) as place:
        row = session.api.post(_TOKENS.path, {"name": name, **body}, once=str(uuid.uuid4()))
        if place is not None:
            place.write(row.pop("token"))
    session.row(row, name="name" if file else "token", leave=("ca_pem",) if file else ())


@token.command(epilog="For instance: certctl agent token withdraw web-1")
@click.argument("word", metavar="ID|NAME")
@asks
def withdraw(session: Session, word: str) -> None:
    """Have nobody register with a token any more."""
    id_ = id_of(session.api, _TOKENS, word)
    session.row(session.api.post(f"agent-tokens/{id_}/withdraw/"), name="name")


for _group, _resource in ((agent, _AGENTS), (token, _TOKENS)):
    _group.add_command(narrowed(_resource, "list"))
    _group.add_command(shown(_resource))

COMMANDS = {"agent": agent}
