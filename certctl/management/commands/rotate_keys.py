"""`manage.py rotate_keys`: every stored secret under the first encryption key.

It walks the columns of secrets of all models, so none can be forgotten.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from typing_extensions import override

from audit.services import record
from audit.via import Door, Via
from foundation.sealed import CannotDecrypt, SealedField, sealed_fields
from owners.models import Principal


class Command(BaseCommand):
    """Re-encrypt what an older key encrypted."""

    help = (
        "Re-encrypt every stored secret under the first of CERTCTL_KEY_ENCRYPTION_KEYS. Safe to"
        " run again; afterwards the older keys can be taken off the list."
    )

    @override
    def handle(self, *args: Any, **options: Any) -> None:
        rotated: dict[str, int] = {}
        lost: list[str] = []
        for field in sealed_fields():
            rotated[_name(field)] = _rotate(field, lost)
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


def _rotate(field: SealedField, lost: list[str]) -> int:
    rows: models.QuerySet[Any] = field.model._default_manager.exclude(  # noqa: SLF001 - Django's public name for it
        **{field.name: None}
    )
    count = 0
    for pk in list(rows.values_list("pk", flat=True)):
        with transaction.atomic():
            # Locked one by one, so that a long rotation holds nobody up.
            row = rows.select_for_update(no_key=True).filter(pk=pk).first()
            try:
                fresh = field.rotated(row) if row else None
            except CannotDecrypt:
                lost.append(f"{_name(field)} {pk}")
                continue
            if fresh is not None:
                # Only this column: the row's other fields are nobody's business here.
                rows.filter(pk=pk).update(**{field.name: fresh})
                count += 1
    return count


def _name(field: SealedField) -> str:
    return f"{field.model.__name__.lower()}.{field.name}"
