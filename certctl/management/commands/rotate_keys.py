"""`manage.py rotate_keys`: every stored secret under the first encryption key.

It stands here, since only this layer may know every app that stores one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from audit.services import record
from audit.via import Door, Via
from certificates.models import Version
from deployments.models import Target
from issuers import crypto
from issuers.models import Issuer
from issuers.services.signing import SERVER_KEY
from jobs.models import Job
from owners.models import Principal


@dataclass(frozen=True, slots=True)
class Column:
    """A column of secrets, and the context that each was encrypted for."""

    model: type[models.Model]
    field: str
    context: Callable[[Any], str]

    def __str__(self) -> str:
        return f"{self.model.__name__.lower()}.{self.field}"


# In the lock order of the rows; each row is locked alone all the same.
COLUMNS = (
    Column(Job, "encrypted_key", lambda row: SERVER_KEY),
    Column(Version, "encrypted_key", lambda row: SERVER_KEY),
    Column(Issuer, "secrets", lambda row: f"issuer:{row.pk}"),
    Column(Target, "secrets", lambda row: f"target:{row.pk}"),
)


class Command(BaseCommand):
    """Re-encrypt what an older key encrypted."""

    help = (
        "Re-encrypt every stored secret under the first of CERTCTL_KEY_ENCRYPTION_KEYS. Safe to"
        " run again; afterwards the older keys can be taken off the list."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the rows one by one, and say what was done."""
        rotated: dict[str, int] = {}
        lost: list[str] = []
        for column in COLUMNS:
            rotated[str(column)] = _rotate(column, lost)
        if any(rotated.values()) or lost:
            actor = Principal.objects.system()
            actor.via = Via(door=Door.CLI)
            record(actor=actor, action="keys.rotate", rotated=rotated, unreadable=lost)
        if options["verbosity"]:
            for name, count in rotated.items():
                self.stdout.write(f"{name}: {count} re-encrypted")
        if lost:
            raise CommandError(
                "No key of CERTCTL_KEY_ENCRYPTION_KEYS opens these, which were left as they are:\n"
                + "\n".join(lost)
            )


def _rotate(column: Column, lost: list[str]) -> int:
    rows: models.QuerySet[Any] = column.model._default_manager.exclude(  # noqa: SLF001 - Django's public name for it
        **{column.field: None}
    )
    count = 0
    for pk in list(rows.values_list("pk", flat=True)):
        with transaction.atomic():
            # Locked one by one, so that a long rotation holds nobody up.
            row = rows.select_for_update(no_key=True).filter(pk=pk).first()
            if row is None or crypto.is_current(getattr(row, column.field)):
                continue
            token = bytes(getattr(row, column.field))
            try:
                fresh = crypto.rotate(token, context=column.context(row))
            except crypto.CannotDecrypt:
                lost.append(f"{column} {pk}")
                continue
            # Only this column: the row's other fields are nobody's business here.
            rows.filter(pk=pk).update(**{column.field: fresh})
            count += 1
    return count
