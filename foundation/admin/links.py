"""Links to rows of any model, where the reader may look at them: one query a model at most."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib.admin import AdminSite
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

Subject = tuple[str, str]  # of a model's label and a key, as the trail keeps them


def pages_of(
    site: AdminSite, request: HttpRequest, subjects: Iterable[Subject]
) -> dict[Subject, str]:
    """Return the page of each row that there still is and that the reader may look at.

    What is gone, or of a model without pages, or none of theirs to see, is not in the answer.
    """
    keys: dict[str, set[str]] = {}
    for label, key in subjects:
        if label and key:
            keys.setdefault(label, set()).add(key)
    return {
        (label, key): page
        for label in sorted(keys)
        for key, page in _pages(site, request, label, keys[label])
    }


def _pages(
    site: AdminSite, request: HttpRequest, label: str, keys: set[str]
) -> Iterable[tuple[str, str]]:
    try:
        model: type[models.Model] = apps.get_model(label)
    except (LookupError, ValueError):
        return []  # of a release whose model is gone
    if not site.is_registered(model):
        return []
    page = site.get_model_admin(model)
    if not page.has_view_permission(request):
        return []
    column = model._meta.pk  # noqa: SLF001 - Django's public name for it
    readable = {}
    for key in keys:
        try:
            readable[column.to_python(key)] = key
        except Exception:  # noqa: BLE001, S112 - whatever a column says of what is no key of it
            continue
    address = f"{site.name}:{model._meta.app_label}_{model._meta.model_name}_change"  # noqa: SLF001
    rows = page.get_queryset(request).filter(pk__in=readable).order_by()
    return [
        (readable[key], reverse(address, args=[key])) for key in rows.values_list("pk", flat=True)
    ]
