"""Row locks that Django does not know: shared ones, for whoever reads what must stay as it is."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.db import connection, models


def share(model: type[models.Model], keys: Iterable[Any], *, by: str = "") -> None:
    """Lock the rows of `model` with these keys until the end of the transaction, in their order.

    `by` names the column that the keys are of, where it is not the primary key.
    Others may read and share them too; whoever changes one waits, and a change that is under way
    is waited for (PostgreSQL's FOR SHARE against FOR NO KEY UPDATE). What is read afterwards is
    what is true at the commit. On SQLite the transaction itself is that lock.
    """
    wanted = {key for key in keys if key is not None}
    if not wanted or connection.vendor != "postgresql":
        return
    sql, field = _sharing(model, by, len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(sql, [field.get_db_prep_value(key, connection) for key in wanted])


def share_at_once(model: type[models.Model], key: Any) -> bool:
    """Do the same with one row, where nobody is changing it: return whether it is shared now."""
    if connection.vendor != "postgresql":
        return True
    sql, field = _sharing(model, "", 1)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} SKIP LOCKED", [field.get_db_prep_value(key, connection)])
        return cursor.fetchone() is not None


@lru_cache(maxsize=256)
def _sharing(
    model: type[models.Model], by: str, count: int
) -> tuple[str, "models.Field[Any, Any]"]:
    meta: Any = model._meta  # noqa: SLF001 - Django's public name for it
    field = meta.get_field(by) if by else meta.pk
    quote = connection.ops.quote_name
    key, column, table = quote(meta.pk.column), quote(field.column), quote(meta.db_table)
    holes = ", ".join(["%s"] * count)
    sql = f"SELECT {key} FROM {table} WHERE {column} IN ({holes}) ORDER BY {key} FOR SHARE"  # noqa: S608 - names of our own models
    return sql, field
