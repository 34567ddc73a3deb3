"""`manage.py changepassword`: a new password for somebody, with its event."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.core.management.base import CommandError
from typing_extensions import override

from certctl.terminal import at_the_terminal, new_password
from foundation.errors import CertctlError
from owners.models import Principal
from owners.services import update_principal


class Command(changepassword.Command):
    """Ask twice for the new password and set it."""

    help = "Set a principal's password."

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        username = options["username"] or getpass.getuser()
        principal = Principal.objects.filter(username=username).first()
        if principal is None:
            raise CommandError(f"There is no principal {username!r}.")
        self.stdout.write(f"A new password for {principal}:")
        try:
            update_principal(
                actor=at_the_terminal(),
                principal_id=principal.pk,
                changes={},
                password=new_password(principal),
            )
        except CertctlError as error:
            raise CommandError(error.detail) from None
        self.stdout.write(f"The password of {principal} is changed.")
