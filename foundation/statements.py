"""Statements of hot paths, made once: what is asked again and again with other values.

Django makes the SQL of a queryset anew each time, which costs several times what the database
needs to answer. A path that thousands of devices take at once asks by `Rows` instead:

    BY_KEY = Rows(lambda: Device.objects.filter(pk=Given("pk", Device)).select_for_update())
    device = BY_KEY.get(pk=device_id)

The queryset says what is asked, as everywhere; only the values are given later. What comes back are
the same rows that the queryset would give. `locked` is the question that all ask; `insert` and
`update` write one row the same way.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import query as django_query
from typing_extensions import override

USING = "default"  # the one database that there is
_FEW = 20

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where a value goes that is given later, and the column that says how it is written."""

    name: str
    field: models.Field[Any, Any]


class Given(models.Expression):
    """A value of a question that is given when it is asked, under a name."""

    def __init__(self, name: str, field: models.Field[Any, Any] | type[models.Model]) -> None:
        """Take the value's name, and the column that it is compared with, or the model of a key."""
        super().__init__(output_field=_column(field))
        self.name = name

    @override
    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", (_Hole(self.name, self.output_field),)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A question as SQL, and how what comes back is made into rows."""

    sql: str
    parameters: tuple[Any, ...]
    locks: bool
    compiler: Any
    converters: dict[int, Any]
    populators: Sequence[Any]
    model: Any
    names: list[str]
    start: int
    end: int


class Rows(Generic[Row]):
    """A question for rows of a model: a queryset with some of its values still to be given."""

    def __init__(self, build: Callable[[], models.QuerySet[Row]]) -> None:
        """Take what makes the queryset, asked once, when the models are there."""
        self._build = build
        # By the kind of database: a process that asks two would send one the other's SQL.
        self._plans: dict[str, _Plan] = {}

    def all(self, **given: Any) -> list[Row]:
        """Return the rows."""
        return list(self._read(given))

    def first(self, **given: Any) -> Row | None:
        """Return the first of the rows; the question should be limited to one, and in an order."""
        return next(iter(self._read(given)), None)

    def get(self, **given: Any) -> Row:
        """Return the one row; raises DoesNotExist of its model."""
        row = self.first(**given)
        if row is None:
            model: Any = self._build().model
            raise model.DoesNotExist
        return row

    def exist(self, **given: Any) -> bool:
        """Whether there is any."""
        return self.first(**given) is not None

    def _read(self, given: dict[str, Any]) -> list[Row]:
        connection = connections[USING]
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = _planned(self._build())
        if plan.locks and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("Rows are locked in a transaction.")
        parameters = [
            one.field.get_db_prep_value(given[one.name], connection)
            if isinstance(one, _Hole)
            else one
            for one in plan.parameters
        ]
        with _sent(connection, plan.sql, parameters) as cursor:
            rows = cursor.fetchall()
        if plan.converters:
            rows = plan.compiler.apply_converters(rows, plan.converters)
        return [_made(plan, row) for row in rows]


def locked(model: type[Row], pk: Any) -> Row:
    """Return the bare row with its lock until the end of the transaction; raises DoesNotExist."""
    rows: Rows[Row] = _locking(model)
    return rows.get(pk=pk)


# The new rows of a connection, which is one thread's, that wait for the end of `written_once`.
_WAITING: WeakKeyDictionary[BaseDatabaseWrapper, list[models.Model]] = WeakKeyDictionary()


@contextmanager
def written_once() -> Iterator[None]:
    """Write what `insert` is given in the block when that ends, as it is then: `update` waits, too.

    For an act that makes a row and changes it at once. Until the end the database does not have the
    row, so nothing in the block may ask for it, and a unique column that is taken shows at the end;
    foreign keys are checked at the commit. Only inside a transaction, without a savepoint in it
    that may be taken back; where the block fails nothing is written.
    """
    connection = connections[USING]
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Rows are written in a transaction.")
    waiting = _WAITING[connection] = []
    try:
        yield
    finally:
        del _WAITING[connection]
    for row in waiting:
        insert_all([row])


def insert(row: models.Model) -> None:
    """Insert a new row whose key is known, as `save(force_insert=True)` does; no signal is sent."""
    waiting = _WAITING.get(connections[USING])
    if waiting is None:
        insert_all([row])
        return
    waiting.append(row)
    row._state.adding, row._state.db = False, USING  # noqa: SLF001 - Django's public name for it


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model, as `bulk_create` does.

    A key that the database gives is not read back: for rows that nobody asks for by it.
    """
    model: Any = type(rows[0])
    if len(rows) > _FEW:  # many are rare, and Django has them sent in parts
        model._base_manager.bulk_create(rows)  # noqa: SLF001 - Django's public name for it
        return
    fields, sql = _insertion(model, len(rows))
    connection = connections[USING]
    values = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in fields
    ]
    with _sent(connection, sql, values):
        pass
    for row in rows:
        row._state.adding, row._state.db = False, USING  # noqa: SLF001 - Django's public name for it


def update(row: models.Model, names: Sequence[str] = ()) -> None:
    """Write some columns of a row, or all, as `save(update_fields=…)` does; no signal is sent.

    Raises DoesNotExist of its model where the row is gone.
    """
    model: Any = type(row)
    connection = connections[USING]
    if any(one is row for one in _WAITING.get(connection, ())):
        return  # it is written as it is at the end
    fields, key, sql = _change(model, tuple(names))
    values = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
    values.append(key.get_db_prep_save(row.pk, connection))
    with _sent(connection, sql, values) as cursor:
        if cursor.rowcount != 1:
            raise model.DoesNotExist


def put_all(
    model: type[models.Model],
    names: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    *,
    unique: tuple[str, ...],
) -> None:
    """Insert rows, or write them over those whose `unique` columns are the same; in their order.

    `names` are the columns' attributes, and `rows` have a value for each. Columns that are not
    named stay as they are, or are empty. One statement is sent again and again without waiting for
    what comes of each, which costs a third of what making one for hundreds of rows does.
    """
    if not rows:
        return
    fields, sql = _upsertion(model, names, unique)
    connection = connections[USING]
    columns = zip(fields, zip(*rows, strict=True), strict=True)
    values = list(zip(*(_prepared(*one, connection) for one in columns), strict=True))
    if _is_logged_or_other(connection):
        with connection.cursor() as cursor:
            cursor.executemany(sql, values)
        return
    with _numbering(connection) as cursor:
        cursor.executemany(_numbered(sql), values)


def _prepared(
    field: models.Field[Any, Any], column: Sequence[Any], connection: BaseDatabaseWrapper
) -> Iterator[Any]:
    """Go through a column as the database takes it; what repeats from row to row is made once."""
    last: Any = None
    ready = field.get_db_prep_save(None, connection)
    for value in column:
        if type(value) is not type(last) or value != last:
            last, ready = value, field.get_db_prep_save(value, connection)
        yield ready


@contextmanager
def _sent(connection: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> Iterator[Any]:
    """Send a statement and give its cursor; PostgreSQL keeps it prepared where the settings say so.

    Django's own binds in the client, so that the database parses and plans every time. Where
    statements are logged, as in tests, they are logged with their values.
    """
    if _is_logged_or_other(connection):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            yield cursor
        return
    with _numbering(connection) as cursor:
        cursor.execute(_numbered(sql), values)
        yield cursor


def _is_logged_or_other(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor != "postgresql" or connection.queries_logged


@lru_cache(maxsize=512)
def _numbered(sql: str) -> str:
    """Return a statement with PostgreSQL's own $1, $2 for each %s, once: psycopg looks for them.

    What is longer than 4 kB or has more than 50 values it would take apart anew each time.
    """
    numbers = count(1)
    return re.sub("%[s%]", lambda hole: f"${next(numbers)}" if hole[0] == "%s" else "%", sql)


@lru_cache(maxsize=1)
def _numbering_cursor() -> Any:
    from django.db.backends.postgresql.base import CursorMixin  # noqa: PLC0415 - it needs psycopg
    from psycopg import RawCursor  # noqa: PLC0415 - the same

    return type("NumberingCursor", (CursorMixin, RawCursor), {})


def _numbering(connection: BaseDatabaseWrapper) -> Any:
    return _of_kind(connection, _numbering_cursor())


def server_bound(connection: BaseDatabaseWrapper) -> Any:
    """Return a cursor that sends statement and values apart, and bytes as they are; PostgreSQL's.

    With its `cursor.format` 1 the answers come as they are, too, where else an octet is two digits.
    """
    from django.db.backends.postgresql.base import ServerBindingCursor  # noqa: PLC0415 - it needs psycopg

    return _of_kind(connection, ServerBindingCursor)


def _of_kind(connection: BaseDatabaseWrapper, kind: Any) -> Any:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    ours: Any = connection
    return ours._prepare_cursor(kind(connection.connection))  # noqa: SLF001 - as Django's own are made


def _column(field: models.Field[Any, Any] | type[models.Model]) -> models.Field[Any, Any]:
    if isinstance(field, models.Field):
        return field
    key: models.Field[Any, Any] | None = field._meta.pk  # noqa: SLF001 - Django's public name for it
    if key is None:
        raise FieldDoesNotExist(f"{field} has no key.")
    return key


def _planned(queryset: models.QuerySet[Row]) -> _Plan:
    connection = connections[USING]
    compiler: Any = queryset.query.get_compiler(using=USING)
    sql, parameters = compiler.as_sql()
    info = compiler.klass_info
    if info is None or compiler.annotation_col_map:
        raise TypeError("Only whole rows are asked for by Rows.")
    chosen = info["select_fields"]
    populators_of: Any = django_query.get_related_populators
    start, end = chosen[0], chosen[-1] + 1
    return _Plan(
        sql=sql,
        parameters=tuple(parameters),
        locks=queryset.query.select_for_update and connection.features.has_select_for_update,
        compiler=compiler,
        converters=compiler.get_converters([one[0] for one in compiler.select]),
        populators=populators_of(info, compiler.select, USING),
        model=info["model"],
        names=[one[0].target.attname for one in compiler.select[start:end]],
        start=start,
        end=end,
    )


def _made(plan: _Plan, row: Sequence[Any]) -> Any:
    made = plan.model.from_db(USING, plan.names, row[plan.start : plan.end])
    for populator in plan.populators:
        populator.populate(row, made)
    return made


@lru_cache(maxsize=64)
def _locking(model: Any) -> Rows[Any]:
    return Rows(
        lambda: (
            model._base_manager.filter(pk=Given("pk", model))  # noqa: SLF001 - Django's public name for it
            .select_for_update(no_key=True)
            .order_by()
        )
    )


@lru_cache(maxsize=256)
def _insertion(model: type[models.Model], count: int) -> tuple[list[models.Field[Any, Any]], str]:
    fields = [
        one
        for one in model._meta.local_concrete_fields  # noqa: SLF001 - Django's public name for it
        if not one.generated and not isinstance(one, models.AutoField)
    ]
    quote = connections[USING].ops.quote_name
    columns = ", ".join(quote(str(one.column)) for one in fields)
    holes = f"({', '.join('%s' for _ in fields)})"
    table = quote(model._meta.db_table)  # noqa: SLF001
    every = ", ".join([holes] * count)
    return fields, f"INSERT INTO {table} ({columns}) VALUES {every}"  # noqa: S608 - names of our own models


@lru_cache(maxsize=256)
def _change(
    model: type[models.Model], names: tuple[str, ...]
) -> tuple[list[models.Field[Any, Any]], models.Field[Any, Any], str]:
    meta = model._meta  # noqa: SLF001 - Django's public name for it
    fields: list[Any] = [meta.get_field(name) for name in names]
    fields = fields or [one for one in meta.local_concrete_fields if not one.primary_key]
    key = _column(model)
    quote = connections[USING].ops.quote_name
    said = ", ".join(f"{quote(str(one.column))} = %s" for one in fields)
    where = quote(str(key.column))
    return fields, key, f"UPDATE {quote(meta.db_table)} SET {said} WHERE {where} = %s"  # noqa: S608 - names of our own models


@lru_cache(maxsize=64)
def _upsertion(
    model: type[models.Model], names: tuple[str, ...], unique: tuple[str, ...]
) -> tuple[list[models.Field[Any, Any]], str]:
    meta = model._meta  # noqa: SLF001 - Django's public name for it
    columns = {one.attname: one for one in meta.local_concrete_fields}
    quote = connections[USING].ops.quote_name
    fields = [columns[name] for name in names]
    said = [quote(str(one.column)) for one in fields]
    key = [quote(str(columns[name].column)) for name in unique]
    changes = ", ".join(f"{one} = EXCLUDED.{one}" for one in said if one not in key)
    return fields, (
        f"INSERT INTO {quote(meta.db_table)} ({', '.join(said)})"  # noqa: S608 - names of our own models
        f" VALUES ({', '.join('%s' for _ in fields)})"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )
