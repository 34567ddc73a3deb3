"""Columns of secrets: what is read from them has no text form, and opens only on purpose.

    TARGET_SECRETS = Context("target:{pk}")
    secrets = SealedField(TARGET_SECRETS, null=True)
    target.secrets = TARGET_SECRETS.of(target).seal(b"…")
    target.secrets.open(TARGET_SECRETS.of(target))

What a secret is encrypted for stands once, in the module that the context is imported from, so
that an import contract says who can open it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from django.apps import apps
from django.db import models
from typing_extensions import override

from foundation import crypto
from foundation.crypto import CannotDecrypt

__all__ = ["CannotDecrypt", "Context", "Sealed", "SealedField", "sealed_fields"]


class Sealed:
    """A secret as it lies in the database; every text form of it is the word "sealed"."""

    __slots__ = ("_token",)

    def __init__(self, token: bytes) -> None:
        self._token = bytes(token)

    def open(self, context: "Context") -> bytes:
        """Return the secret; raises CannotDecrypt where it was not sealed for `context`."""
        return crypto.decrypt(self._token, context=context.text)

    @override
    def __repr__(self) -> str:
        return "sealed"

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self._token == other._token

    @override
    def __hash__(self) -> int:
        return hash(self._token)

    @override
    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("What is sealed is neither pickled nor copied.")


@dataclass(frozen=True, slots=True)
class Context:
    """What secrets are encrypted for; "{pk}" stands for the key of the row that holds them."""

    text: str

    def of(self, row: models.Model) -> "Context":
        """Return the context of one row's secret, which opens no other row's."""
        return Context(self.text.format(pk=row.pk))

    def seal(self, plain: bytes) -> Sealed:
        """Encrypt a secret under the first of `settings.KEY_ENCRYPTION_KEYS`."""
        return Sealed(crypto.encrypt(plain, context=self.text))


class SealedField(models.BinaryField[Sealed | None, Sealed | None]):
    """A column of secrets. It takes nothing but `Sealed`, so that none is stored in the clear."""

    def __init__(self, context: Context, **options: Any) -> None:
        self._context = context
        super().__init__(**{**options, "editable": False})

    @override
    def deconstruct(self) -> Any:
        # To the database, and so to migrations, it is a column of bytes.
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.BinaryField", args, options

    @override
    def clone(self) -> Any:
        return type(self)(self._context, **self.deconstruct()[3])

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        """Return what was read, sealed."""
        return None if value is None else Sealed(value)

    @override
    def get_prep_value(self, value: Any) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self} takes only what is sealed.")
        return None if value is None else value._token  # noqa: SLF001 - the one place that stores it

    @override
    def value_to_string(self, obj: models.Model) -> NoReturn:
        raise TypeError(f"{self} is in no dump: back the database up instead.")

    def rotated(self, row: models.Model) -> Sealed | None:
        """Return the row's secret under the first key, or None where it is; CannotDecrypt."""
        sealed: Sealed | None = getattr(row, self.attname)
        if sealed is None or crypto.is_current(sealed._token):  # noqa: SLF001
            return None
        context = self._context.of(row)
        return context.seal(sealed.open(context))


def sealed_fields() -> Iterator[SealedField]:
    """Every column of secrets that there is."""
    for model in apps.get_models():
        yield from (field for field in model._meta.fields if isinstance(field, SealedField))  # noqa: SLF001 - Django's public name for it
