"""`manage.py createsuperuser`: the first administrator, through the same service as every other."""

import getpass
import os
import sys
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from typing_extensions import override

from certctl.terminal import at_the_terminal, new_password
from foundation.errors import CertctlError
from owners.accounts import create_superuser
from owners.models import Principal

PASSWORD = "DJANGO_SUPERUSER_PASSWORD"  # noqa: S105 - the name of a variable


class Command(createsuperuser.Command):
    """Ask for name, e-mail and password; --noinput takes them from options and environment."""

    help = "Make an administrator: a human with the role admin, who has every permission."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        if options["interactive"] and not sys.stdin.isatty():
            raise CommandError(
                "There is no terminal to ask at. Use --noinput with --username and --email, and "
                f"the password in {PASSWORD}."
            )
        username = self._value("username", options)
        email = self._value("email", options)
        try:
            self.username_field.clean(username, None)
            if email:
                validate_email(email)
            password = (
                new_password(Principal(username=username, email=email))
                if options["interactive"]
                else os.environ.get(PASSWORD)
            )
            create_superuser(
                actor=at_the_terminal(), username=username, email=email, password=password
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except CertctlError as error:
            words = [error.detail, *(wrong["detail"] for wrong in error.errors)]
            raise CommandError(" ".join(words)) from None
        if options["verbosity"]:
            self.stdout.write(f"{username} is an administrator.")

    def _value(self, name: str, options: dict[str, Any]) -> str:
        """Return an option, or the variable of its name, or what is typed."""
        given = options[name] or os.environ.get(f"DJANGO_SUPERUSER_{name.upper()}")
        if given is None and options["interactive"]:
            default = getpass.getuser() if name == "username" else ""
            asked = f"{name.title()} [{default}]: " if default else f"{name.title()}: "
            given = input(asked).strip() or default
        if not given and name == "username":
            raise CommandError("You must use --username with --noinput.")
        return str(given or "")
