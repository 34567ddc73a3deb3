"""Row locks that Django does not know: shared ones, for whoever reads what must stay as it is."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models


def share(model: type[models.Model], keys: Iterable[Any]) -> None:
    """Lock the rows of `model` with these keys until the end of the transaction, in their order.

    Others may read and share them too; whoever changes one waits, and a change that is under way
    is waited for (PostgreSQL's FOR SHARE against FOR NO KEY UPDATE). What is read afterwards is
    what is true at the commit. On SQLite the transaction itself is that lock.
    """
    wanted = {key for key in keys if key is not None}
    if not wanted or connection.vendor != "postgresql":
        return
    rows = model._base_manager.filter(pk__in=wanted).order_by("pk").values("pk")  # noqa: SLF001 - Django's public name for it
    sql, parameters = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR SHARE", parameters)
