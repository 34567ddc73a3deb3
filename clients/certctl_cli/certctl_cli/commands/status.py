"""`status`, what there is to see to; `doctor`, why it does not work."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import click

from certctl_cli import contexts
from certctl_cli.errors import Problem, Stop
from certctl_cli.session import Session, asks

_CLOCK = 120  # seconds that a clock may be wrong by


@click.command(epilog="For instance: certctl status -o json")
@asks
def status(session: Session) -> None:
    """Say who you are, what waits, and what ends soon."""
    me, stats = session.api.get("me/"), session.api.get("stats/")
    row = {
        "server": session.api.base,
        "principal": f"{me['username']}, at most {me['role_cap']}",
        "api_key": me["api_key"],
        "certificates": _counted(stats["certificates"]),
        "jobs": _counted(stats["jobs"]),
        "ends_in_the_week_of": _counted({one["starts"]: one["count"] for one in stats["expiring"]}),
    }
    session.row(row, name="principal")


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


@click.command(epilog="For instance: certctl doctor --context production")
@click.option("--context", help="The server and key to look at.")
def doctor(context: str | None) -> None:
    """See why something does not work: file, address, TLS, clock, key, rights."""
    failed = False
    for ok, name, detail in _looks(context):
        click.echo(f"{'ok ' if ok else 'BAD'}  {name}: {detail}")
        failed = failed or not ok
    if failed:
        raise Stop("Something is wrong: see above.")


def _looks(context: str | None) -> Iterator[tuple[bool, str, str]]:
    from certctl_cli.api import Api  # noqa: PLC0415 - start-up

    others = contexts.open_to_others()
    yield not others, "file", f"{contexts.place()}" + (": others can read it" if others else "")
    if contexts.of_somebody_else():
        yield False, "file", "it belongs to somebody else"
    try:
        chosen = contexts.chosen(context)
    except Stop as stop:
        yield False, "context", f"{stop.message} {stop.hint}".strip()
        return
    yield True, "context", f"{chosen.name}, {chosen.url}"
    with Api(chosen, pause=lambda seconds: None) as api:
        try:
            answer = api.send("GET", "/health")
        except Stop as stop:
            yield False, "server", f"{stop.message} {stop.hint}".strip()
            return
        yield True, "server", "answers" + (", by TLS" if api.base.startswith("https") else "")
        yield _clock(answer.headers.get("Date", ""))
        try:
            me = api.get("me/")
        except Problem as problem:
            yield False, "key", f"{problem.message} {problem.hint}".strip()
            return
    yield True, "key", f"{me['api_key']}, of {me['username']}"
    yield bool(me["permissions"]), "rights", f"{len(me['permissions'])}, at most {me['role_cap']}"


def _clock(date: str) -> tuple[bool, str, str]:
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return True, "clock", "the server does not say its time"
    off = (datetime.now(UTC) - theirs).total_seconds()  # noqa: TID251 - no Django here
    if abs(off) <= _CLOCK:
        return True, "clock", "right"
    return False, "clock", f"this machine's is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"


COMMANDS = {"status": status, "doctor": doctor}
