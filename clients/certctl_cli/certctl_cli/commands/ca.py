"""`ca`: CA certificates fetched, and any certificate checked as a relying party would."""

from pathlib import Path

import click
from cryptography import x509

from certctl_cli import certificates, checking, files
from certctl_cli.errors import Stop
from certctl_cli.resources import RESOURCES, one_of
from certctl_cli.session import Session, asks

_ISSUERS = RESOURCES["issuers"]


@click.group()
def ca() -> None:
    """Fetch CA certificates; check chain, CRL and OCSP of any certificate."""


@ca.command(epilog="For instance: certctl ca fetch demo-issuing --file ca.pem")
@click.argument("issuer")
@click.option("--file", "file", type=click.Path(path_type=Path), help="Where to; else printed.")
@click.option("--root", is_flag=True, help="Its root alone.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@asks
def fetch(session: Session, issuer: str, file: Path | None, root: bool, force: bool) -> None:
    """Fetch an issuer's certificate and those above it, up to the root."""
    chain = _chain_of(session, issuer)
    pem = certificates.to_pem(chain[-1:] if root else chain)
    if file is None:
        click.echo(pem, nl=False)
    else:
        files.write(file, pem.encode(), replace=force)
        click.echo(str(file))


@ca.command(epilog="For instance: certctl ca check web.pem, or certctl ca check web.internal:443")
@click.argument("place", metavar="FILE|HOST:PORT|NAME")
@click.option(
    "--root-file",
    type=click.Path(path_type=Path),
    help="Trusted roots; those of the server's issuers unless said.",
)
@asks
def check(session: Session, place: str, root_file: Path | None) -> None:
    """Check dates, chain, CRL and OCSP of a certificate, as whoever relies on it would."""
    chain = _named(session, place)
    roots = certificates.of_file(root_file) if root_file else _roots(session)
    checks = checking.all_of(chain[0], chain[1:], roots)
    rows = [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in checks]
    session.rows(rows, ("name", "ok", "detail"), name="name")
    if not all(one.ok is not False for one in checks):
        raise Stop(f"{certificates.title_of(chain[0])} is not good.")


def _named(session: Session, place: str) -> certificates.Certificates:
    host, colon, port = place.rpartition(":")
    if Path(place).is_file():
        return next(certificates.chains(certificates.of_file(Path(place))))
    if colon and port.isdigit():
        return certificates.of_server(host.strip("[]"), int(port))
    row = one_of(session.api, RESOURCES["certificates"], place)
    if not row["current"]:
        raise Stop(f"Nothing was issued for {place} yet.")
    version = session.api.get(f"versions/{row['current']['id']}/")
    return x509.load_pem_x509_certificates((version["pem"] + version["chain_pem"]).encode())


def _chain_of(session: Session, issuer: str) -> certificates.Certificates:
    row = one_of(session.api, _ISSUERS, issuer)
    if not row["certificate_pem"]:
        raise Stop(f"{row['name']} has no certificate.")
    text = row["certificate_pem"].strip() + "\n" + row["chain_pem"]
    return x509.load_pem_x509_certificates(text.encode())


def _roots(session: Session) -> certificates.Certificates:
    roots: certificates.Certificates = []
    for row in session.api.rows(_ISSUERS.path):
        if row["certificate_pem"]:
            text = row["certificate_pem"].strip() + "\n" + row["chain_pem"]
            root = x509.load_pem_x509_certificates(text.encode())[-1]
            if root not in roots:
                roots.append(root)
    return roots


COMMANDS = {"ca": ca}
