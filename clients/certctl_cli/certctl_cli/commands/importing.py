"""`import`: certificates that are there already, put into the inventory one by one."""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from certctl_cli import certificates, output
from certctl_cli.errors import Problem, Stop
from certctl_cli.exits import Exit
from certctl_cli.session import Session, asks
from certctl_cli.text import harmless


@click.command(
    "import",
    epilog="For instance: certctl import /etc/ssl/web --owner 'Web platform' --issuer demo-issuing "
    "--profile tls-server, or certctl import web.example.internal:443 …",
)
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER|HOST:PORT…")
@click.option("--owner", required=True, help="Who answers for them.")
@click.option("--issuer", required=True, help="Who renews them.")
@click.option("--profile", required=True, help="The rules they are renewed under.")
@click.option("--team", help="The team that sees them, too.")
@click.option("--renewal-policy", help="How they are renewed.")
@click.option("--environment", help="As production or test.")
@click.option("--tag", "tags", multiple=True, help="May be said more than once.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@asks
def import_(session: Session, sources: Sequence[str], dry_run: bool, **said: Any) -> None:
    """Put certificates into the inventory: PEM, DER and PKCS#7 files, whole folders, TLS servers.

    Private keys are neither read nor sent. What is known already is left as it is.
    """
    about = {key: list(v) if isinstance(v, tuple) else v for key, v in said.items() if v}
    rows: list[dict[str, str]] = []
    for source in sources:
        for place, chain in _found(source):
            rows.append(_taken(session, place, chain, about, dry_run=dry_run))
    session.rows(rows, ("source", "name", "outcome", "detail"), name="name")
    failed = sum(one["outcome"] == "failed" for one in rows)
    if failed:
        raise Stop(f"{failed} of {len(rows)} could not be taken.")


def _found(source: str) -> Iterator[tuple[str, certificates.Certificates]]:
    path = Path(source)
    if path.is_dir():
        for file in sorted(one for one in path.rglob("*") if one.suffix in certificates.ENDINGS):
            try:
                held = certificates.of_file(file)
            except Stop as stop:
                output.say(f"Left: {stop.message}")
                continue
            yield from ((str(file), chain) for chain in certificates.chains(held))
        return
    if path.exists() or ":" not in source:
        yield from ((source, one) for one in certificates.chains(certificates.of_file(path)))
        return
    host, _, port = source.rpartition(":")
    if not port.isdigit():
        raise Stop(f"{source} is no file, and no HOST:PORT.", Exit.USAGE)
    yield source, certificates.of_server(host.strip("[]"), int(port))


def _taken(
    session: Session,
    place: str,
    chain: certificates.Certificates,
    about: dict[str, Any],
    *,
    dry_run: bool,
) -> dict[str, str]:
    name = certificates.title_of(chain[0])
    row = {"source": place, "name": name, "outcome": "would be sent", "detail": ""}
    if dry_run:
        return row
    body = {"name": name[:200], "pem": certificates.to_pem(chain), **about}
    try:
        session.api.post("certificates/import/", body, once=str(uuid.uuid4()))
    except Problem as problem:
        known = problem.code == "already_imported"
        if problem.exit_code == Exit.REFUSED:
            raise
        return row | {
            "outcome": "known" if known else "failed",
            "detail": harmless(problem.message, keep=""),
        }
    return row | {"outcome": "imported"}


COMMANDS = {"import": import_}
