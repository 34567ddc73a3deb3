"""`request`: a key and its CSR made here, a certificate asked for, and written when it is there."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from certctl_cli import files, keymaking, output, waiting
from certctl_cli.errors import Problem, Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES
from certctl_cli.session import Session, asks


@dataclass(frozen=True, slots=True)
class Places:
    """The files of one certificate: its key, itself with what stands above it, and that alone."""

    key: Path
    certificate: Path
    chain: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> "Places":
        """Return the usual ones; a wildcard's star is no character for a file's name."""
        stem = "".join(
            c if c.isalnum() or c in "-._" else "_" for c in name.replace("*", "wildcard")
        )
        return cls(folder / f"{stem}.key", folder / f"{stem}.pem", folder / f"{stem}.chain.pem")


@click.command(
    epilog="For instance: certctl request web.example.internal www.example.internal "
    "--profile tls-server --owner 'Web platform' --wait",
)
@click.argument("names", nargs=-1)
@click.option("--csr", type=click.Path(path_type=Path, allow_dash=True), help="A CSR of your own.")
@click.option(
    "--key-type",
    type=click.Choice(keymaking.ALGORITHMS),
    default="ecdsa-p256",
    show_default=True,
    help="The key that is made.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder for NAME.key, NAME.pem (certificate and chain) and NAME.chain.pem.",
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.option("--issuer", help="Who signs it; need not be said where the profile has one.")
@click.option("--profile", help="The rules it is issued under.")
@click.option("--owner", help="Who answers for it.")
@click.option("--team", help="The team that sees it, too.")
@click.option("--name", help="What to call it in the inventory; its first name unless said.")
@click.option("--common-name", help="The CN of its subject, where the profile wants one.")
@click.option("--lifetime", help="As 47d, 12h or P30D; the profile's longest unless said.")
@click.option("--renewal-policy", help="How it is renewed.")
@click.option("--environment", help="As production or test.")
@click.option("--tag", "tags", multiple=True, help="May be said more than once.")
@click.option("--target", "targets", multiple=True, help="Where to deploy it. May be repeated.")
@click.option("--justification", help="Why; shown to whoever decides.")
@click.option("--wait", is_flag=True, help="Wait until it is issued, and write it.")
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    default=waiting.LONGEST,
    show_default=True,
    help="How long to wait, in seconds.",
)
@asks
def request(
    session: Session,
    names: Sequence[str],
    csr: Path | None,
    key_type: str,
    out: Path,
    force: bool,
    wait: bool,
    timeout: float,
    **said: Any,
) -> None:
    """Make a private key and ask for a certificate for NAMES.

    The key is written to a file of mode 0600 before anything is asked for, and never sent. NAMES
    are host names or addresses, or dns:…, ip:…, email:… and uri:….
    """
    sans = [keymaking.san_of(name) for name in names]
    if not sans and csr is None:
        raise click.UsageError("Say at least one name, or --csr FILE.")
    body = _body(session, sans, said)
    title = said["name"] or (names[0] if names else csr.stem if csr else "")
    places = Places.of(out, title)
    if csr is None:
        body["csr"] = _key_and_csr(places, key_type, said["common_name"] or "", sans, force=force)
    else:
        body["csr"] = keymaking.of_file(csr)
    job = _asked(session, body, places.key if csr is None else None)
    for warning in job.get("warnings", []):
        output.say(f"Look out: {warning}")
    if not wait:
        session.job(job)
        return
    job = waiting.wait(session.api, job, longest=timeout)
    version = session.api.get(f"versions/{job['version']}/")
    write_certificate(places, version, replace=force)
    if session.form == "table":
        output.say(f"Issued until {version['not_after']}.")
        for path in (places.key if csr is None else None, places.certificate, places.chain):
            if path is not None:
                click.echo(path)
    else:
        session.row(version, name="serial")


def _asked(session: Session, body: dict[str, Any], key: Path | None) -> Any:
    try:
        return session.api.post("certificates/", body, once=str(uuid.uuid4()))
    except (Stop, KeyboardInterrupt) as end:
        if key is None:
            raise
        if isinstance(end, Problem) and end.exit_code != Exit.FAILED:
            # Refused, so nothing will ever be signed for the key.
            key.unlink(missing_ok=True)
        else:
            output.say(
                f"{key} stays: the request may have arrived. Look first: certctl list jobs --most 5"
            )
        raise


def write_certificate(places: Places, version: dict[str, Any], *, replace: bool) -> None:
    """Write what a server serves (certificate, then chain), and the chain alone."""
    pem, chain = version["pem"].strip() + "\n", version["chain_pem"].strip()
    files.write(
        places.certificate, (pem + (chain + "\n" if chain else "")).encode(), replace=replace
    )
    files.write(places.chain, (chain + "\n").encode() if chain else b"", replace=replace)


def _body(session: Session, sans: list[str], said: dict[str, Any]) -> dict[str, Any]:
    usual = session.api.context.defaults
    body = {
        key: value or usual.get(key)
        for key, value in said.items()
        if key not in {"tags", "targets"} and (value or usual.get(key))
    }
    body |= {key: list(said[key]) for key in ("tags", "targets") if said[key]}
    if sans:
        body["sans"] = sans
    for column in ("profile", "owner"):
        body[column] = body.get(column) or _only(session, column)
    if "issuer" not in body:
        body["issuer"] = _issuer_of(session, body["profile"])
    return body


def _only(session: Session, column: str) -> str:
    """Return the one that there is; raises Stop that lists them where there are more."""
    resource = RESOURCES[f"{column}s"]
    rows = list(session.api.rows(resource.path, {} if column == "owner" else {"enabled": "true"}))
    names = sorted(str(row[resource.names[0]]) for row in rows)
    if len(names) == 1:
        output.say(f"The {column} is {names[0]}: there is no other.")
        return names[0]
    raise Stop(
        f"Which {column}? There {'are: ' + ', '.join(names[:20]) if names else 'is none'}.",
        Exit.USAGE,
        hint=f"Say --{column} NAME, or once for all: certctl context set {column} NAME",
    )


def _issuer_of(session: Session, profile: str) -> str:
    rows = [
        row
        for row in session.api.rows("profiles/", {"search": profile})
        if profile in {row["slug"], row["id"]}
    ]
    issuers = list(rows[0]["issuers"]) if rows else []
    if len(issuers) == 1:
        return str(issuers[0])
    if rows and not issuers:  # any
        return _only(session, "issuer")
    if not rows:
        raise Stop(
            f"There is no profile {profile!r}.",
            Exit.NOT_FOUND,
            hint="Try: certctl list profiles",
        )
    raise Stop(
        f"Which issuer? The profile {profile} has: {', '.join(issuers) or 'none'}.",
        Exit.USAGE,
        hint="Say --issuer SLUG, or once for all: certctl context set issuer SLUG",
    )


def _key_and_csr(
    places: Places, key_type: str, common_name: str, sans: list[str], *, force: bool
) -> str:
    for path in (places.certificate, places.chain):
        if path.exists() and not force:
            raise Stop(
                f"{path} is there already, and is not overwritten.",
                Exit.CONFLICT,
                hint="Choose another folder with --out, or say --force.",
            )
    key = keymaking.make(key_type)
    csr = keymaking.request(key, common_name=common_name, sans=sans)
    # Before it is asked for: a certificate without its key is worth nothing.
    files.write(places.key, keymaking.pem_of(key), private=True, replace=force)
    return csr.decode()


COMMANDS = {"request": request}
