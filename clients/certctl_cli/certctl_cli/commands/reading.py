"""`list`, `get`, `show`: every list of the API with its own filters, and one thing of it."""

from difflib import get_close_matches
from typing import Any

import click
from typing_extensions import override

from certctl_cli.resources import RESOURCES, Resource, one_of, resource_of
from certctl_cli.session import Session, asks

# Long texts that a person asks for by other commands.
LEAVE = ("pem", "chain_pem", "certificate_pem", "trust_anchors_pem")


class Kinds(click.Group):
    """A group with one command for each kind of thing."""

    def __init__(self, name: str, *, takes_id: bool, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.takes_id = takes_id

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(RESOURCES)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        return narrowed(resource_of(cmd_name), takes_id=self.takes_id)


def narrowed(resource: Resource, name: str = "", *, takes_id: bool = False) -> click.Command:
    """Return the command that lists those, with the API's filters as options."""

    @asks
    def run(
        session: Session,
        word: str | None = None,
        columns: str | None = None,
        most: int | None = None,
        **said: Any,
    ) -> None:
        if word is not None:
            _show(session, resource, word)
            return
        query = {name: _sent(value) for name, value in said.items() if value not in {None, ()}}
        session.rows(
            session.api.rows(resource.path, query, most=most or 0),
            _columns(resource, columns),
            name=resource.names[0] if resource.names else resource.key,
            nothing=f"There are no {resource.plural}{' like that' if query else ''}.",
        )

    parameters = [*_filters(resource)]
    words = f"List {resource.plural.replace('-', ' ')}; what is said of them adds up."
    example = f"For instance: certctl list {resource.plural} --most 5 -o json"
    command = click.command(name or resource.plural, help=words, epilog=example)(run)
    command.params[:0] = parameters
    if takes_id:
        command.params.insert(0, click.Argument(["word"], required=False, metavar="[ID|NAME]"))
    return command


def _filters(resource: Resource) -> list[click.Parameter]:
    options: list[click.Parameter] = []
    for name, described in resource.filters.items():
        kind: Any = click.STRING
        if described.get("choices"):
            kind = click.Choice(described["choices"])
        elif described.get("type") == "boolean":
            kind = click.Choice(["true", "false"])
        options.append(
            click.Option(
                [f"--{name.replace('__', '-').replace('_', '-')}", name],
                type=kind,
                multiple=bool(described.get("many")),
                help=described.get("help", "").removeprefix("* ")
                if "choices" not in described
                else "",
            )
        )
    if resource.is_searched:
        options.append(click.Option(["--search"], help="Text in the fields that are searched."))
    options += [
        click.Option(
            ["--sort"], help="A field of docs/api.md; with - before it, the largest first."
        ),
        click.Option(["--columns"], help="Fields to show, with commas between."),
        click.Option(
            ["--most"],
            type=click.IntRange(1),
            default=None,
            help="No more rows than this.",
        ),
    ]
    return options


def _sent(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _columns(resource: Resource, said: str | None) -> tuple[str, ...]:
    if not said:
        return resource.columns
    columns = tuple(one.strip() for one in said.split(",") if one.strip())
    for column in columns:
        known = resource.fields
        if column.partition(".")[0] not in known:
            near = get_close_matches(column, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else f". There are: {', '.join(known)}."
            raise click.UsageError(f"{resource.plural} have no field {column!r}{meant}")
    return columns


def _show(session: Session, resource: Resource, word: str) -> None:
    row = one_of(session.api, resource, word)
    name = resource.names[0] if resource.names else resource.key
    session.row(row, name=name, leave=LEAVE)


def shown(resource: Resource) -> click.Command:
    """Return the command that shows one of those."""

    @click.argument("word", metavar="ID|NAME")
    @asks
    def run(session: Session, word: str) -> None:
        _show(session, resource, word)

    words = f"Show one of the {resource.plural.replace('-', ' ')}, by its id or name."
    return click.command("show", help=words, epilog="See certctl list for ids and names.")(run)


@click.command("show", epilog="For instance: certctl show certificate web.example.internal")
@click.argument("kind")
@click.argument("word", metavar="ID|NAME")
@asks
def show(session: Session, kind: str, word: str) -> None:
    """Show one thing, by its id or, where that is unambiguous, by its name."""
    _show(session, resource_of(kind), word)


COMMANDS = {
    "list": Kinds(
        "list",
        takes_id=False,
        help="List things; each list has the API's own filters.",
        epilog="For instance: certctl list certificates --status Expiring --owner 'Web platform'",
    ),
    "get": Kinds(
        "get",
        takes_id=True,
        help="List things, or show the one that is named.",
        epilog="For instance: certctl get jobs --status AwaitingApproval -o name",
    ),
    "show": show,
}
