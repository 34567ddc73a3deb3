"""`completion`: what a shell sources so that it completes commands and options."""

import click
from click.shell_completion import get_completion_class

from certctl_cli.errors import Stop


@click.command(
    epilog="For instance, in ~/.bashrc: source <(certctl completion bash)",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion for a shell."""
    kind = get_completion_class(shell)
    root = ctx.find_root().command
    if kind is None:
        raise Stop(f"There is no completion for {shell}.")
    click.echo(kind(root, {}, "certctl", "_CERTCTL_COMPLETE").source())


COMMANDS = {"completion": completion}
