"""`audit`: the trail with its filters, exports of it, and the proof that nothing was taken out."""

import json
import sys
from pathlib import Path

import click

from certctl_cli import chain, output
from certctl_cli.commands.reading import narrowed
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES
from certctl_cli.session import Session, asks


@click.group()
def audit() -> None:
    """Read the audit trail, export it, and verify an export."""


audit.add_command(narrowed(RESOURCES["audit"], "list"))


@audit.command(epilog="For instance: certctl audit export > trail.jsonl")
@click.option("--as", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--after", type=int, help="Only what came after that sequence.")
@asks
def export(session: Session, kind: str, after: int | None) -> None:
    """Write the whole trail, or what came after a sequence, to standard output."""
    query: dict[str, str | int | list[str]] = {"as": kind}
    if after is not None:
        query["after"] = after
    out = sys.stdout.buffer
    for piece in session.api.stream("audit/export/", query):
        out.write(piece)


@audit.command(epilog="For instance: certctl audit verify trail.jsonl")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--offline", is_flag=True, help="Do not compare it with the server's trail.")
@asks
def verify(session: Session, file: Path, offline: bool) -> None:
    """Recompute the chain of an export, and compare its last hash with the server's.

    Any line that was changed, added or taken out in the middle shows; a trail that was cut at its
    end shows by the server's, one that the server changed shows by the export's.
    """
    try:
        with file.open() as lines:
            checked = chain.check(json.loads(line) for line in lines if line.strip())
    except (ValueError, KeyError, TypeError) as error:
        raise Stop(
            f"{file} is no export of the trail: {error}.",
            Exit.USAGE,
            hint="Make one: certctl audit export > trail.jsonl (CSV has no chain).",
        ) from error
    if not checked.count:
        raise Stop("There is no event in that file.", Exit.USAGE)
    output.say(f"{checked.count} events, {checked.first} to {checked.last}: the chain holds.")
    if offline:
        return
    seen = session.api.get(f"audit/{checked.last}/")
    if seen["hash"] != checked.hash:
        raise Stop(
            f"The server's event {checked.last} has another hash: one of the two was changed.",
            hint=f"Of the file: {checked.hash}; of the server: {seen['hash']}",
        )
    output.say(f"The server has the same event {checked.last}.")


COMMANDS = {"audit": audit}
