"""Addresses of the admin's lists, narrowed: what stands behind a number on the dashboard.

The look-ups are those that the lists allow (`list_filter`, `linked`); a test opens each.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Model, QuerySet
from django.urls import reverse

COUNTED = 1000  # beyond that a number says "1,000+": no page counts a million rows


def list_of(model: type[Model], **lookups: object) -> str:
    """Return the address of the list of `model`, narrowed by `lookups`."""
    meta = model._meta  # noqa: SLF001 - Django documents it
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    query = urlencode({name: _text(value) for name, value in lookups.items()})
    return f"{address}?{query}" if query else address


def row_of(row: Model) -> str:
    """Return the address of a row's page."""
    meta = row._meta  # noqa: SLF001 - Django documents it
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def capped(*many: "QuerySet[Any]") -> list[int]:
    """Return how many rows each has, and no more than one beyond COUNTED: one query for all."""
    counts, parameters = [], []
    for rows in many:
        few = rows.order_by().values("pk")[: COUNTED + 1]
        sql, given = few.query.get_compiler(few.db).as_sql()
        counts.append(f"(SELECT COUNT(*) FROM ({sql}) counted)")  # noqa: S608 - Django wrote it
        parameters += given
    if not counts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", parameters)
        return list(cursor.fetchone())


def in_words(count: int) -> str:
    """Return a count as it is shown."""
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
