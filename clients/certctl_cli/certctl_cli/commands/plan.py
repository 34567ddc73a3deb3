"""`plan`: bulk revocation, in the steps that it has: make, show, confirm, watch, stop."""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import click

from certctl_cli import files, output
from certctl_cli.commands.reading import narrowed
from certctl_cli.commands.revoke import REASONS
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES
from certctl_cli.session import Session, asks

_PLANS = RESOURCES["revocation-plans"]
_LEAVE = ("preview",)
_ENDS = {"Completed", "Stopped", "Expired"}


@click.group()
def plan() -> None:
    """Revoke many at once: a plan is made, looked at, confirmed, and carried out in waves.

    Criteria add up: what meets all of them is revoked.
    """


@plan.command(epilog="For instance: certctl plan make --issuer old-ca --reason superseded")
@click.option("--issuer", help="Issued by it (slug or id).")
@click.option("--profile", help="Issued under it.")
@click.option("--owner", help="Owned by it.")
@click.option("--team", help="Of that team.")
@click.option("--environment", help="In that environment.")
@click.option("--agent", help="Whose keys that agent holds.")
@click.option("--key-fingerprint", help="With that key: SHA-256 of the SubjectPublicKeyInfo.")
@click.option("--tag", "tags", multiple=True, help="With that tag; may be repeated.")
@click.option("--serial", "serials", multiple=True, help="With that serial; may be repeated.")
@click.option("--id", "ids", multiple=True, help="Of a certificate or version; may be repeated.")
@click.option("--issued-from", help="Issued from then on, as 2026-01-31T00:00:00Z.")
@click.option("--issued-to", help="Issued before then.")
@click.option(
    "--csv",
    type=click.Path(path_type=Path),
    help="A table with a heading: serial, issuer (its slug), fingerprint (SHA-256).",
)
@click.option(
    "--reason", type=click.Choice(list(REASONS)), default="unspecified", show_default=True
)
@click.option("--note", default="", help="Kept with the plan.")
@click.option("--wave-size", type=int, help="How many in one wave.")
@click.option("--pause-seconds", type=int, help="Between two waves.")
@click.option("--drill", is_flag=True, help="Go through all of it and revoke nothing.")
@click.option("--replace-first", is_flag=True, help="Renew and prove what is served before.")
@click.option("--replace-by", help="When replacing has to be over, as 2026-01-31T12:00:00Z.")
@click.option(
    "--unproven",
    type=click.Choice(["revoke", "leave"]),
    help="What to do with what could not be replaced by then.",
)
@asks
def make(
    session: Session,
    csv: Path | None,
    issued_from: str | None,
    issued_to: str | None,
    drill: bool,
    replace_first: bool,
    **said: Any,
) -> None:
    """Make a plan. Nothing is revoked until it is confirmed."""
    settings = ("reason", "note", "wave_size", "pause_seconds", "replace_by", "unproven")
    criteria = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in said.items()
        if key not in settings and value
    }
    if issued_from or issued_to:
        if not (issued_from and issued_to):
            raise click.UsageError("Say both --issued-from and --issued-to.")
        criteria["issued_between"] = {"from": issued_from, "to": issued_to}
    if csv:
        criteria["csv"] = files.read(csv).decode(errors="replace")
    body = {key: said[key] for key in settings if said[key] not in {None, ""}}
    body |= {"criteria": criteria, "drill": drill, "replace_first": replace_first}
    row = session.api.post(_PLANS.path, body, once=str(uuid.uuid4()))
    session.row(row, leave=_LEAVE)
    output.say(f"Nothing is revoked yet. Look at it, then: certctl plan confirm {row['id']}")


@plan.command(epilog="For instance: certctl plan show ID -o json")
@click.argument("id_", metavar="ID")
@asks
def show(session: Session, id_: str) -> None:
    """Show a plan, with what it would revoke."""
    session.row(session.api.get(f"{_PLANS.path}{id_}/"))


@plan.command(epilog="For instance: certctl plan confirm ID --digest DIGEST")
@click.argument("id_", metavar="ID")
@click.option("--digest", help="Of the plan that was looked at: then nothing is asked.")
@asks
def confirm(session: Session, id_: str, digest: str | None) -> None:
    """Have a plan carried out: exactly what was looked at, or nothing."""
    path = f"{_PLANS.path}{id_}/"
    if digest is None:
        row = session.api.get(path)
        output.show_facts(row, leave=_LEAVE)
        if not output.somebody_is_there():
            raise Stop("This is no terminal.", Exit.USAGE, hint="Say --digest.")
        verb = "go through" if row["drill"] else "REVOKE"
        if click.prompt(f"Type {row['count']} to {verb} that many", err=True) != str(row["count"]):
            raise Stop("Nothing was confirmed.", Exit.FAILED)
        digest = row["digest"]
    session.row(session.api.post(f"{path}confirm/", {"digest": digest}), leave=_LEAVE)


@plan.command(epilog="For instance: certctl plan watch ID --timeout 600")
@click.argument("id_", metavar="ID")
@click.option("--timeout", type=click.FloatRange(0), default=86400.0, help="In seconds.")
@asks
def watch(session: Session, id_: str, timeout: float) -> None:
    """Watch a plan until it ends."""
    ends = time.monotonic() + timeout
    row = session.api.get(f"{_PLANS.path}{id_}/")
    with click.progressbar(length=row["count"], label="Revoked", file=sys.stderr) as bar:
        while True:
            done = row["revoked"] + row["already_revoked"] + row["failed"]
            bar.update(done - bar.pos)
            if row["status"] in _ENDS or time.monotonic() >= ends:
                break
            time.sleep(1)
            row = session.api.get(f"{_PLANS.path}{id_}/")
    session.row(row, leave=_LEAVE)
    if row["status"] not in _ENDS:
        raise Stop(f"It is {row['status']} after {timeout:g} seconds.", Exit.WAITING)
    if row["failed"] or row["status"] != "Completed":
        raise Stop(
            f"{row['status']}: {row['failed']} failed.", hint=f"Try: certctl plan report {id_}"
        )


@plan.command(epilog="For instance: certctl plan report ID -o csv > report.csv")
@click.argument("id_", metavar="ID")
@asks
def report(session: Session, id_: str) -> None:
    """Show what became of each certificate of a plan."""
    columns = ("name", "serial", "owner", "outcome", "detail", "replacement")
    session.rows(session.api.rows(f"{_PLANS.path}{id_}/report/"), columns, name="version")


def _noted(name: str, words: str) -> None:
    @click.argument("id_", metavar="ID")
    @click.option("--note", default="", help="Why.")
    @asks
    def run(session: Session, id_: str, note: str) -> None:
        body = {"note": note} if note else {}
        session.row(session.api.post(f"{_PLANS.path}{id_}/{name}/", body), leave=_LEAVE)

    plan.command(name, help=words, epilog=f"For instance: certctl plan {name} ID")(run)


_noted("look", "Say that you looked at what one administrator confirmed alone.")
_noted("pause", "Have a running plan wait after its wave.")
_noted("resume", "Have a paused plan go on.")
_noted("stop", "End a plan; what it revoked stays revoked.")

plan.add_command(narrowed(_PLANS, "list"))

COMMANDS = {"plan": plan}
