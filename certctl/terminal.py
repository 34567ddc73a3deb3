"""Whoever types commands: as whom they act, and how they give a password."""

import getpass
import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from audit.via import Door, Via
from owners.models import Principal

TRIES = 3


def at_the_terminal() -> Principal:
    """Return the principal that commands act as: the system, by the door `cli`."""
    actor = Principal.objects.system()
    actor.via = Via(door=Door.CLI)
    return actor


def new_password(principal: Principal) -> str:
    """Ask twice for a password that is good enough for `principal`; CommandError after 3 tries."""
    for _ in range(TRIES):
        first = getpass.getpass("Password: ")
        if first != getpass.getpass("Password (again): "):
            print("They are not the same.", file=sys.stderr)  # noqa: T201 - the terminal is asked
            continue
        try:
            validate_password(first, principal)
        except ValidationError as error:
            print("\n".join(error.messages), file=sys.stderr)  # noqa: T201
            continue
        return first
    raise CommandError(f"No password after {TRIES} tries: nothing was changed.")
