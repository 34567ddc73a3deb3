"""`revoke` one certificate, and `release` one that is on hold."""

import uuid
from typing import Any

import click

from certctl_cli import output
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES, one_of
from certctl_cli.session import Session, asks
from certctl_cli.text import harmless

# RFC 5280 section 5.3.1, with what it means to the people who rely on the certificate.
REASONS = {
    "unspecified": "no reason is told to others",
    "keyCompromise": "somebody else has the private key",
    "cACompromise": "the CA's key is known to somebody else",
    "affiliationChanged": "the names in it changed hands",
    "superseded": "another certificate took its place",
    "cessationOfOperation": "what it was for is no more",
    "certificateHold": "for now: release it, or revoke it later",
    "privilegeWithdrawn": "whoever holds it may no longer have it",
}


@click.command(
    epilog="For instance: certctl revoke web.example.internal --reason superseded. Reasons: "
    + "; ".join(f"{name}: {words}" for name, words in REASONS.items())
    + ".",
)
@click.argument("certificate")
@click.option(
    "--reason", type=click.Choice(list(REASONS)), default="unspecified", show_default=True
)
@click.option("--note", default="", help="Kept with the revocation; not told to relying parties.")
@click.option("--version", "version", help="The id of another version than the current one.")
@click.option("--revoked-at", help="keyCompromise only: since when, as 2026-01-31T12:00:00Z.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@asks
def revoke(session: Session, certificate: str, reason: str, yes: bool, **said: Any) -> None:
    """Make a certificate bad before its end, for everybody who relies on it.

    Only a hold can be taken back. To revoke many, make a plan: certctl plan make.
    """
    row = one_of(session.api, RESOURCES["certificates"], certificate)
    if not yes:
        _ask(session, row, reason)
    body = {"reason": reason, **{key: value for key, value in said.items() if value}}
    path = f"certificates/{row['id']}/revoke/"
    session.row(session.api.post(path, body, once=str(uuid.uuid4())), name="version")


def _ask(session: Session, row: dict[str, Any], reason: str) -> None:
    if not output.somebody_is_there():
        raise Stop("Nobody is there to answer: this is no terminal.", Exit.USAGE, hint="Say --yes.")
    served = list(session.api.rows("deployments/", {"certificate": row["id"]}, most=20))
    click.echo(
        f"{harmless(row['name'])}: {row['status']}, of {harmless(row['owner_name'])}", err=True
    )
    for one in served:
        click.echo(f"  served at {harmless(one['target_name'])} ({one['health']})", err=True)
    back = "can be taken back" if reason == "certificateHold" else "cannot be taken back"
    click.echo(f"  {reason}: {REASONS[reason]}. This {back}.", err=True)
    answer = click.prompt("Type its name to revoke it", err=True)
    if answer != row["name"]:
        raise Stop("That is not its name. Nothing was revoked.", Exit.FAILED)


@click.command(epilog="For instance: certctl release web.example.internal")
@click.argument("certificate")
@click.option("--note", default="", help="Why.")
@asks
def release(session: Session, certificate: str, note: str) -> None:
    """Take a certificate off hold: it is good again."""
    row = one_of(session.api, RESOURCES["certificates"], certificate)
    body = {"note": note} if note else {}
    session.row(session.api.post(f"certificates/{row['id']}/release-hold/", body))


COMMANDS = {"revoke": revoke, "release": release}
