"""What is kept for somebody about a list: the columns that they chose, and views with a name.

They are kept by whom `settings.ADMIN_LIST_KEEPER` names: this floor knows no principals.
"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from foundation.admin.lists.cells import CHECKBOX

COLUMNS = "certctl.columns"  # in request.META


def keeper() -> Any:
    """Return the module that keeps them."""
    return import_module(settings.ADMIN_LIST_KEEPER)


def name_of(model_admin: Any) -> str:
    """Return the list's name, such as "certificates.certificate"."""
    name: str = model_admin.opts.label_lower
    return name


def columns_of(request: HttpRequest, model_admin: Any) -> list[str]:
    """Return the columns that whoever looks has chosen; none where they have chosen none.

    A column that there is no more is left out. The first, which leads to the row, is always there.
    """
    if not model_admin.more_columns:
        return []
    known = allowed(model_admin)
    name = name_of(model_admin)
    read = request.META.setdefault(COLUMNS, {})  # a list asks several times
    if name not in read:
        read[name] = keeper().columns_of(request.user, name)
    chosen = set(read[name]) & set(known)
    if not chosen:
        return []
    first = model_admin.list_display[0]
    return [name for name in known if name == first or name in chosen]


def allowed(model_admin: Any) -> list[str]:
    """Return the columns that may be chosen, in the order in which they are shown."""
    own = (*model_admin.list_display, *model_admin.more_columns)
    return [name for name in dict.fromkeys(own) if name != CHECKBOX]


def views_of(request: HttpRequest, model_admin: Any) -> Any:
    """Return the views of the list with a name: theirs, and what others share."""
    return keeper().views_of(request.user, name_of(model_admin))
