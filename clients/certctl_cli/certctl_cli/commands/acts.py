"""What is asked of a certificate, and of a job: renew, deploy, verify, cancel, retry, wait."""

import uuid
from pathlib import Path
from typing import Any

import click

from certctl_cli import keymaking, output, waiting
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.resources import RESOURCES, id_of
from certctl_cli.session import Session, asks

OPEN = ("Pending", "AwaitingCSR", "AwaitingApproval", "Running")
_CERTIFICATES = RESOURCES["certificates"]


def waits(command: Any) -> Any:
    """Give a command that asks for a job `--wait` and `--timeout`."""
    command = click.option("--wait", is_flag=True, help="Wait until it is done.")(command)
    return click.option(
        "--timeout", type=click.FloatRange(0), default=waiting.LONGEST, help="In seconds."
    )(command)


def job_of(session: Session, word: str, *, statuses: tuple[str, ...] = OPEN) -> dict[str, Any]:
    """Return the job with that id, or the only one of a certificate of that name in `statuses`."""
    jobs = RESOURCES["jobs"]
    try:
        return dict(session.api.get(f"jobs/{uuid.UUID(word)}/"))
    except ValueError:
        certificate = id_of(session.api, _CERTIFICATES, word)
    query = {"certificate": certificate, "status": list(statuses)}
    rows = list(session.api.rows(jobs.path, query))
    if len(rows) == 1:
        return dict(rows[0])
    if not rows:
        raise Stop(f"No job of {word!r} is {' or '.join(statuses)}.", Exit.NOT_FOUND)
    lines = "\n".join(f"  {row['id']}  {waiting.state(row)}" for row in rows)
    raise Stop(f"{word!r} has {len(rows)} such jobs; say which:\n{lines}", Exit.USAGE)


def _asked(session: Session, job: dict[str, Any], *, wait: bool, timeout: float) -> None:
    for warning in job.get("warnings", []):
        output.say(f"Look out: {warning}")
    session.job(waiting.wait(session.api, job, longest=timeout) if wait else job)


@click.command(epilog="For instance: certctl renew web.example.internal --csr new.csr --wait")
@click.argument("certificate")
@click.option("--csr", type=click.Path(path_type=Path), help="A CSR of a new key.")
@click.option("--lifetime", help="As 47d, 12h or P30D.")
@click.option("--justification", help="Why; shown to whoever decides.")
@waits
@asks
def renew(
    session: Session, certificate: str, csr: Path | None, wait: bool, timeout: float, **said: Any
) -> None:
    """Ask for the next version of a certificate."""
    body = {key: value for key, value in said.items() if value}
    if csr:
        body["csr"] = keymaking.of_file(csr)
    path = f"certificates/{id_of(session.api, _CERTIFICATES, certificate)}/renew/"
    job = session.api.post(path, body, once=str(uuid.uuid4()))
    _asked(session, job, wait=wait, timeout=timeout)


def _at_target(name: str, words: str) -> click.Command:
    @click.argument("certificate")
    @click.option("--target", help="Where; need not be said where it has one target only.")
    @waits
    @asks
    def run(
        session: Session, certificate: str, target: str | None, wait: bool, timeout: float
    ) -> None:
        path = f"certificates/{id_of(session.api, _CERTIFICATES, certificate)}/{name}/"
        body = {"target": target} if target else {}
        job = session.api.post(path, body, once=str(uuid.uuid4()))
        _asked(session, job, wait=wait, timeout=timeout)

    example = f"For instance: certctl {name} web.example.internal --target web-1 --wait"
    return click.command(name, help=words, epilog=example)(run)


@click.command(epilog="For instance: certctl cancel web.example.internal --reason 'not needed'")
@click.argument("job")
@click.option("--reason", default="", help="Why.")
@asks
def cancel(session: Session, job: str, reason: str) -> None:
    """Withdraw a request that is not done yet: JOB is its id, or the certificate's name."""
    row = job_of(session, job)
    session.job(session.api.post(f"jobs/{row['id']}/cancel/", {"reason": reason} if reason else {}))


@click.command(epilog="For instance: certctl retry web.example.internal --wait")
@click.argument("job")
@waits
@asks
def retry(session: Session, job: str, wait: bool, timeout: float) -> None:
    """Have a failed job tried again."""
    row = job_of(session, job, statuses=("Failed",))
    job_ = session.api.post(f"jobs/{row['id']}/retry/")
    _asked(session, job_, wait=wait, timeout=timeout)


@click.command(epilog="For instance: certctl wait web.example.internal --timeout 600")
@click.argument("job")
@click.option("--timeout", type=click.FloatRange(0), default=waiting.LONGEST, help="In seconds.")
@asks
def wait(session: Session, job: str, timeout: float) -> None:
    """Wait for a job to end."""
    session.job(waiting.wait(session.api, job_of(session, job), longest=timeout))


COMMANDS = {
    "renew": renew,
    "deploy": _at_target("deploy", "Ask to have a certificate put in place at a target."),
    "verify": _at_target("verify", "Ask for a handshake that proves what a target serves."),
    "cancel": cancel,
    "retry": retry,
    "wait": wait,
}
