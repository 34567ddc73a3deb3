"""The chips of a list that only names its filters (`list_filter`), as Django's lists do."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.admin import EmptyFieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db import models
from django.db.models import Q

from foundation.admin.lists.chips import Chip, Choice, Row, Text, YesNo
from foundation.admin.lists.dates import Between
from foundation.admin.lists.lookups import LOOKUPS, LookUp


def derived(
    model: type[models.Model], own: Iterable[Chip], names: Iterable[Any], linked: Iterable[str]
) -> list[Chip]:
    """Return a list's own chips, one for each filter, and one without a menu for each of `linked`.

    A filter is a column, or a pair of a column and Django's kind of filter. `linked` are look-ups
    of our own links.
    """
    chips = list(own)
    for name in names:
        if isinstance(name, tuple | list):
            is_empty = isinstance(name[1], type) and issubclass(name[1], EmptyFieldListFilter)
            chips.append(_of(model, str(name[0]), is_empty=is_empty))
        else:
            chips.append(_of(model, str(name)))
    known = {parameter for chip in chips for parameter in chip.parameters}
    chips += [_linked(model, name) for name in linked if name not in known]
    return chips


def _linked(model: type[models.Model], name: str) -> Chip:
    if name.rpartition("__")[2] in LOOKUPS:
        return LookUp(model, name)
    path = name.removesuffix("__exact").removesuffix("__id")
    return _of(model, path, is_offered=False)


def _of(
    model: type[models.Model], path: str, *, is_empty: bool = False, is_offered: bool = True
) -> Chip:
    field: Any = get_fields_from_path(model, path)[-1]
    title = str(field.verbose_name).capitalize()
    title = title if title.upper() != title.replace("csr", "CSR") else title.upper()
    more: dict[str, Any] = {"is_offered": is_offered, "aliases": (f"{path}__exact",)}
    if is_empty:
        return _emptiness(field, path, title)
    if field.is_relation:
        more["aliases"] = (f"{path}__id__exact", f"{path}__exact")
        return Row(
            path,
            title,
            field.related_model,
            may_be_empty=bool(field.null),
            is_many=bool(field.many_to_many),
            known_by=_known_by(field.related_model),
            **more,
        )
    if field.flatchoices:
        return Choice(path, title, field.flatchoices, **more)
    if isinstance(field, models.BooleanField):
        return YesNo(path, title, lambda: Q(**{path: True}), ("yes", "no"), **more)
    if isinstance(field, models.DateTimeField):
        return Between(path, title, is_offered=is_offered)
    return _typed(field, path, title, **more)


def _emptiness(field: Any, path: str, title: str) -> Chip:
    is_empty = Q(**{f"{path}__isnull": True})
    if field.empty_strings_allowed:
        is_empty |= Q(**{path: ""})
    # Django's filter asks whether it is empty, and ours whether there is one.
    return _Reversed(path, title, lambda: ~is_empty, ("yes", "no"))


class _Reversed(YesNo):
    """Whether a column has a value; Django's older links say whether it is empty."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its own name, and the older one."""
        return (self.name, f"{self.name}__isempty")

    def given(self, query: Any) -> list[str]:
        """Return yes and no, with the older name turned round."""
        turned = {"1": "no", "0": "yes"}
        older = [turned.get(text, text) for text in query.getlist(f"{self.name}__isempty")]
        return list(dict.fromkeys([*filter(None, query.getlist(self.name)), *filter(None, older)]))


def _typed(field: Any, path: str, title: str, **more: Any) -> Text:
    if isinstance(field, models.UUIDField):
        return Text(path, title, lambda text: Q(**{path: text}), check=_is_uuid, **more)
    if isinstance(field, models.IntegerField):
        return Text(path, title, lambda text: Q(**{path: text}), check=_is_number, **more)
    return Text(path, title, lambda text: Q(**{path: text}), help_text="As it is written.", **more)


def _known_by(model: type[models.Model]) -> str:
    columns: Iterator[Any] = (
        field
        for field in model._meta.concrete_fields  # noqa: SLF001 - Django's public name for it
        if field.unique and field.name in {"slug", "name", "username", "path"}
    )
    first = next(columns, None)
    return first.name if first is not None else ""


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and int(text) < 2**31
