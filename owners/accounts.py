"""Use cases on one's own account, and on the first one: a password, and an administrator."""

from audit.changes import change
from audit.services import record
from audit.use_cases import use_case
from audit.via import Door
from owners import services
from owners.models import Principal
from owners.roles import Role


@use_case("principal.change_password", on=Principal)
def change_password(*, actor: Principal, principal: Principal, password: str) -> Principal:
    """Change one's own password; the edge has asked for the present one before.

    Returns the row as it is now. Raises Invalid for a weak password.
    """
    row = Principal.objects.select_for_update(no_key=True).get(pk=principal.pk)
    services.set_password(row, password)
    row.save(update_fields=["password"])
    done = change("password", "", "changed")
    record(actor=actor, action="principal.change_password", subject=row, changes=done)
    return row


@use_case("principal.create_superuser", doors=frozenset({Door.CLI}))
def create_superuser(
    *, actor: Principal, username: str, email: str = "", password: str | None = None
) -> Principal:
    """Make a human administrator who has every permission, from the command line alone.

    They are in the group of the role `admin`, so that keys, lists and owners know them as one.
    Raises NameTaken, Invalid (weak password).
    """
    principal = services.create_principal(
        actor=actor, username=username, role=Role.ADMIN, email=email, password=password
    )
    principal.is_superuser = True
    principal.save(update_fields=["is_superuser"])
    record(actor=actor, action="principal.create_superuser", subject=principal)
    return principal
