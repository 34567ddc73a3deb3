"""Views of lists under a name, and the columns that somebody chose: kept for whoever looks.

The lists themselves say what they can be narrowed by and which columns they have
(`foundation.admin.lists`); an edge asks them before it calls these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from audit.changes import changed
from audit.services import record
from audit.use_cases import use_case
from console.models import MAX_NAME, MAX_QUERY, ChosenColumns, SavedView
from foundation.errors import FieldError, Invalid, MissingPermission, NotPermitted
from foundation.statements import locked
from owners.models import Principal

MOST_VIEWS = 50  # of one person, of one list
SHARE = "console.share_savedview"
MANAGE = "console.manage_savedview"


class NotYourView(NotPermitted):
    """A view is changed and deleted by who made it, or by an administrator."""

    code = "not_your_view"
    message = "Whoever made this view, or an administrator, may change or delete it."


@dataclass(frozen=True, slots=True)
class Offered:
    """A view as a list's menu shows it to somebody."""

    pk: UUID
    name: str
    query: str
    maker: str
    shared: bool
    is_mine: bool
    may_delete: bool


def views_of(principal: Principal, of_list: str) -> list[Offered]:
    """Return the views of a list for `principal`: their own, then what others share."""
    rows = SavedView.objects.filter(of_list=of_list).filter(Q(maker=principal.pk) | Q(shared=True))
    may_manage = principal.has_perm(MANAGE)
    offered = [
        Offered(
            pk=row.pk,
            name=row.name,
            query=row.query,
            maker=row.maker.get_username(),
            shared=row.shared,
            is_mine=row.maker_id == principal.pk,
            may_delete=may_manage or row.maker_id == principal.pk,
        )
        for row in rows.select_related("maker")
    ]
    return sorted(offered, key=lambda one: (not one.is_mine, one.name.casefold(), one.maker))


def columns_of(principal: Principal, of_list: str) -> list[str]:
    """Return the columns of a list that `principal` chose; none: those that it has by itself."""
    chosen = ChosenColumns.objects.filter(principal=principal.pk, of_list=of_list).first()
    return list(chosen.columns) if chosen is not None else []


@use_case("view.save", on=SavedView)
def save_view(
    *, actor: Principal, of_list: str, name: str, query: str, shared: bool = False
) -> SavedView:
    """Keep what a list is narrowed to under `name`; one of the actor's of that name is changed.

    `query` is of the list's address, as the list itself has read it. Raises Invalid,
    MissingPermission where it is to be shared and may not be.
    """
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise _invalid("name", f"A view has a name of up to {MAX_NAME} characters.")
    if len(query) > MAX_QUERY:
        raise _invalid("query", "The list is narrowed by too much to be kept under a name.")
    if shared and not actor.has_perm(SHARE):
        raise MissingPermission(f"This needs the permission {SHARE}.")
    locked(Principal, actor.pk)  # one after another, so that what is counted stays so
    mine = SavedView.objects.select_for_update(no_key=True).filter(maker=actor.pk, of_list=of_list)
    rows = {row.name: row for row in mine}
    view = rows.get(name)
    if view is None:
        if len(rows) >= MOST_VIEWS:
            raise _invalid("name", f"You have {MOST_VIEWS} views of this list: delete one first.")
        view = SavedView(maker=actor, of_list=of_list, name=name)
    done = changed(view, {"query": query, "shared": shared}, ("query", "shared"))
    view.save()
    record(actor=actor, action="view.save", subject=view, list=of_list, name=name, changes=done)
    return view


@use_case("view.delete", on=SavedView)
def delete_view(*, view_id: UUID, actor: Principal) -> None:
    """Delete a view. Raises SavedView.DoesNotExist, NotYourView."""
    view = SavedView.objects.select_for_update(no_key=True).get(pk=view_id)
    if view.maker_id != actor.pk and not actor.has_perm(MANAGE):
        raise NotYourView
    record(
        actor=actor,
        action="view.delete",
        subject=view,
        list=view.of_list,
        name=view.name,
        maker=view.maker.get_username(),
    )
    view.delete()


@use_case("columns.choose", on=ChosenColumns)
def choose_columns(
    *, actor: Principal, of_list: str, columns: Sequence[str], allowed: Sequence[str]
) -> None:
    """Keep which columns of a list `actor` sees: some of `allowed`; none: the list's own again.

    Raises Invalid.
    """
    unknown = sorted(set(columns) - set(allowed))
    if unknown:
        raise _invalid("columns", f"This list has no column {', '.join(unknown)[:200]}.")
    locked(Principal, actor.pk)
    mine = ChosenColumns.objects.select_for_update(no_key=True)
    row = mine.filter(principal=actor.pk, of_list=of_list).first()
    row = row or ChosenColumns(principal=actor, of_list=of_list)
    done = changed(row, {"columns": [name for name in allowed if name in columns]}, ("columns",))
    if done:
        row.save()
        record(actor=actor, action="columns.choose", subject=actor, list=of_list, changes=done)


def _invalid(field: str, words: str) -> Invalid:
    return Invalid(words, errors=[FieldError(field, "invalid", words)])
