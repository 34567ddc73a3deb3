"""`login` and `context`: servers and keys that are kept, and what is usual on each."""

import hashlib
import os
import ssl
import sys
from dataclasses import replace
from pathlib import Path

import click

from certctl_cli import contexts, files, output
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit


@click.command(
    epilog="For instance: certctl login https://certctl.example.internal --ca-file ca.pem",
)
@click.argument("url")
@click.option("--name", help="What to call this context; the server's name unless said.")
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path),
    help="Certificates in PEM that the server's must lead to; else those of the machine.",
)
@click.option(
    "--fingerprint",
    metavar="SHA256",
    help="SHA-256 of the certificate that the server shows, in hexadecimal, in place of --ca-file.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="A file with the API key, - for standard input. Else CERTCTL_API_KEY, else you are asked.",
)
def login(
    url: str, name: str | None, ca_file: Path | None, fingerprint: str | None, key_file: Path | None
) -> None:
    """Keep a server's address and your API key for it, once they are seen to work.

    An administrator makes API keys: in the admin, or with certctl keys create.
    """
    from certctl_cli.api import Api  # noqa: PLC0415 - start-up

    if ca_file and fingerprint:
        raise click.UsageError("Say --ca-file or --fingerprint, not both.")
    url = url if "://" in url else f"https://{url}"
    parts = contexts.address(url)
    ca_pem = files.read(ca_file).decode(errors="replace") if ca_file else ""
    if fingerprint:
        ca_pem = _pinned(parts.hostname or "", parts.port or 443, fingerprint)
    name = name or parts.netloc
    context = contexts.Context(name, f"{parts.scheme}://{parts.netloc}", _key(key_file), ca_pem)
    with Api(context) as api:
        me = api.get("me/")
    kept = contexts.load()
    before = kept.contexts.get(name)
    context = replace(context, defaults=before.defaults if before else {})
    contexts.save(contexts.Kept({**kept.contexts, name: context}, current=name))
    output.say(f"Logged in to {context.url} as {me['username']} (at most {me['role_cap']}).")


def _key(key_file: Path | None) -> str:
    if key_file is not None and str(key_file) != "-":
        key = files.read(key_file).decode(errors="replace")
    elif key_file is not None:
        key = sys.stdin.readline()
    elif not (key := os.environ.get("CERTCTL_API_KEY", "")):
        if not output.somebody_is_there():
            raise Stop(
                "Nobody is there to be asked for the key: this is no terminal.",
                Exit.USAGE,
                hint="Name its file: --key-file FILE, or - for standard input.",
            )
        key = click.prompt("API key", hide_input=True, err=True)
    key = key.strip()
    if not key.startswith("certctl_") or not key.isascii() or not key.isprintable():
        raise Stop("That is no API key of certctl: they begin with certctl_.", Exit.USAGE)
    return key


def _pinned(host: str, port: int, fingerprint: str) -> str:
    """Return the server's certificate in PEM where it is the one that the fingerprint names."""
    wanted = fingerprint.replace(":", "").replace(" ", "").lower().removeprefix("sha256")
    try:
        pem = ssl.get_server_certificate((host, port), timeout=10)
    except OSError as error:
        raise Stop(f"{host}:{port} shows no certificate: {error}.") from error
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    if shown != wanted:
        raise Stop(
            f"{host}:{port} shows another certificate: its SHA-256 is {shown}.",
            Exit.REFUSED,
            hint="Ask whoever runs the server for the fingerprint; do not take this one on trust.",
        )
    return pem


@click.group()
def context() -> None:
    """List, choose and remove contexts; set what `certctl request` need not be told."""


@context.command("list", epilog="For instance: certctl context list")
def list_() -> None:
    """List the contexts; a star marks the one that is used."""
    kept = contexts.load()
    for name, one in sorted(kept.contexts.items()):
        usual = " ".join(f"{key}={value!r}" for key, value in sorted(one.defaults.items()))
        click.echo(f"{'*' if name == kept.current else ' '} {name}  {one.url}  {usual}".rstrip())
    if not kept.contexts:
        output.say("There is none. Try: certctl login https://…")


@context.command(epilog="For instance: certctl context use production")
@click.argument("name")
def use(name: str) -> None:
    """Use that context from now on."""
    kept = contexts.load()
    contexts.save(replace(kept, current=_known(kept, name)))


@context.command(epilog="For instance: certctl context remove production")
@click.argument("name")
def remove(name: str) -> None:
    """Forget a context and its key. The key itself stays valid: certctl keys disable."""
    kept = contexts.load()
    left = {key: one for key, one in kept.contexts.items() if key != _known(kept, name)}
    contexts.save(contexts.Kept(left, "" if kept.current == name else kept.current))


@context.command("set", epilog="For instance: certctl context set owner 'Web platform'")
@click.argument("name", type=click.Choice(contexts.DEFAULTS))
@click.argument("value", required=False, default="")
def set_(name: str, value: str) -> None:
    """Set what `certctl request` takes where nothing is said; without a value: take it back."""
    kept = contexts.load()
    one = kept.contexts[_known(kept, kept.current)]
    defaults = {**one.defaults, name: value}
    if not value:
        del defaults[name]
    changed = {**kept.contexts, one.name: replace(one, defaults=defaults)}
    contexts.save(replace(kept, contexts=changed))


def _known(kept: contexts.Kept, name: str) -> str:
    if name not in kept.contexts:
        raise Stop(
            f"There is no context {name!r}.",
            Exit.NOT_FOUND,
            hint=f"There are: {', '.join(sorted(kept.contexts)) or 'none'}.",
        )
    return name


COMMANDS = {"login": login, "context": context}
