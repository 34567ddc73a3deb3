"""`approve` and `reject`: the review and its differences first, a question, then the digest."""

from typing import Any

import click

from certctl_cli import output
from certctl_cli.commands.acts import job_of
from certctl_cli.errors import Stop
from certctl_cli.exits import Exit
from certctl_cli.session import Session, asks
from certctl_cli.text import harmless

_AWAITING = ("AwaitingApproval",)


@click.command(epilog="For instance: certctl approve web.example.internal --reason 'known host'")
@click.argument("job")
@click.option("--reason", default="", help="Why; kept with the decision.")
@click.option(
    "--digest",
    help="Of what was looked at, as in certctl show job ID: then nothing is asked.",
)
@asks
def approve(session: Session, job: str, reason: str, digest: str | None) -> None:
    """Look at what would be done, and agree to it. JOB is its id, or the certificate's name."""
    row = job_of(session, job, statuses=_AWAITING)
    if digest is None:
        review = _look(session, row)
        _ask("Approve exactly this?")
        digest = review["digest"]
    body = {"digest": digest, **({"reason": reason} if reason else {})}
    session.job(session.api.post(f"jobs/{row['id']}/approve/", body))


@click.command(epilog="For instance: certctl reject web.example.internal --reason 'wrong owner'")
@click.argument("job")
@click.option("--reason", required=True, help="Why; whoever asked is told.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@asks
def reject(session: Session, job: str, reason: str, yes: bool) -> None:
    """Look at what would be done, and say no. JOB is its id, or the certificate's name."""
    row = job_of(session, job, statuses=_AWAITING)
    if not yes:
        _look(session, row)
        _ask("Reject this?")
    session.job(session.api.post(f"jobs/{row['id']}/reject/", {"reason": reason}))


def _look(session: Session, job: dict[str, Any]) -> dict[str, Any]:
    """Show the review on standard error, so that what follows can be read by a program."""
    review: dict[str, Any] = session.api.get(f"jobs/{job['id']}/review/")
    click.echo(err=True)
    for warning in review["warnings"]:
        click.echo(click.style(f"  Look out: {harmless(warning)}", fg="yellow"), err=True)
    for name in (
        "kind",
        "certificate",
        "names",
        "profile",
        "issuer",
        "owner",
        "requested_by",
        "justification",
        "device",
        "lifetime",
        "key_algorithm",
        "target",
    ):
        value = review.get(name)
        if value:
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            output.say(f"  {name.replace('_', ' '):<14} {harmless(shown, keep='')}")
    for one in review["differences"]:
        output.say(f"  {harmless(one['what'], keep='')}")
        click.echo(click.style(f"    - {harmless(one['before'], keep='')}", fg="red"), err=True)
        click.echo(click.style(f"    + {harmless(one['after'], keep='')}", fg="green"), err=True)
    output.say(f"  digest         {review['digest']}\n")
    return review


def _ask(question: str) -> None:
    if not output.somebody_is_there():
        raise Stop(
            "Nobody is there to answer: this is no terminal.",
            Exit.USAGE,
            hint="Look at it first, then say --digest (approve) or --yes (reject).",
        )
    if not click.confirm(question, err=True):
        raise Stop("Nothing was decided.", Exit.FAILED)


COMMANDS = {"approve": approve, "reject": reject}
