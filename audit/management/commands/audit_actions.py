"""`manage.py audit_actions`: all that the trail can say, as the table in the docs."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from typing_extensions import override

from audit import actions

BEGIN, END = "<!-- actions: made by manage.py audit_actions -->", "<!-- /actions -->"


class Command(BaseCommand):
    """Print the table, or write it between its marks in a page."""

    help = "Print every action that the audit trail knows, as a table in Markdown."

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--into", type=Path, help="A page that has the marks for it.")

    @override
    def handle(self, *args: Any, into: Path | None, **options: Any) -> None:
        actions.load()
        if into is None:
            self.stdout.write(actions.table())
            return
        before, begin, rest = into.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not (begin and end):
            raise CommandError(f"{into} has no {BEGIN} … {END}.")
        into.write_text(f"{before}{BEGIN}\n\n{actions.table()}\n\n{END}{after}")
