"""`export`: a certificate's file, in the forms that servers want; never its key."""

import sys
from pathlib import Path

import click

from certctl_cli import files
from certctl_cli.resources import RESOURCES, id_of
from certctl_cli.session import Session, asks


@click.command(epilog="For instance: certctl export web.example.internal --file web.pem")
@click.argument("certificate")
@click.option(
    "--as",
    "kind",
    type=click.Choice(["pem", "der", "pkcs12"]),
    default="pem",
    show_default=True,
    help="pem has the chain after it; der is the certificate alone.",
)
@click.option("--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="Where to.")
@click.option("--password", is_flag=True, help="Ask for a password (pkcs12).")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@asks
def export(
    session: Session, certificate: str, kind: str, file: Path | None, password: bool, force: bool
) -> None:
    """Write a certificate to a file, or to standard output. Its key is not on the server."""
    path = f"certificates/{id_of(session.api, RESOURCES['certificates'], certificate)}/export/"
    if password:
        if kind != "pkcs12":
            raise click.UsageError("Only pkcs12 has a password.")
        secret = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        answer = session.api.send("POST", path, body={"format": kind, "password": secret})
    else:
        answer = session.api.send("GET", path, query={"format": kind})
    if file is None or str(file) == "-":
        sys.stdout.buffer.write(answer.content)
    else:
        files.write(file, answer.content, replace=force)
        click.echo(str(file))


COMMANDS = {"export": export}
