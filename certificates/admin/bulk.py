"""What can be changed of many certificates at once: each by the service that the form calls."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from certificates import services
from certificates.admin.files import EXPORT
from certificates.details import checked
from certificates.models import Certificate, RenewalPolicy
from foundation.admin import ConfirmForm
from foundation.admin.lists.bulk import MOST_ROWS, ActsOnMany, Many
from foundation.errors import FieldError, Invalid
from foundation.forms import LinesField
from owners.logins import actor_of
from owners.models import Owner, Team

AT_MOST = f"At most {MOST_ROWS} at once. Each is changed for itself, by the rules of its own form."


def _looked_up(name: str) -> AutocompleteSelect:
    column = Certificate._meta.get_field(name)  # noqa: SLF001 - Django's public name for it
    return AutocompleteSelect(column, admin.site)


class OwnerForm(ConfirmForm):
    """Whose they will be."""

    owner = forms.ModelChoiceField(
        queryset=Owner.objects.all(), label="New owner", widget=_looked_up("owner")
    )


class TeamForm(ConfirmForm):
    """Which team answers for them."""

    team = forms.ModelChoiceField(
        queryset=Team.objects.all(),
        label="New team",
        required=False,
        widget=_looked_up("team"),
        help_text="Empty: none, but the owner's.",
    )


class PolicyForm(ConfirmForm):
    """How they are renewed."""

    renewal_policy = forms.ModelChoiceField(
        queryset=RenewalPolicy.objects.all(),
        required=False,
        label="New renewal policy",
        empty_label="None: nobody renews them by itself",
    )


class TagsForm(ConfirmForm):
    """Which tags they get and lose."""

    add = LinesField(label="Tags to add", help_text="One a line.")
    remove = LinesField(label="Tags to take away", help_text="One a line.")


class InBulk(ActsOnMany):
    """The acts on many certificates that the list of them offers."""

    actions: tuple[str, ...] = (
        "change_owner",
        "change_team",
        "change_policy",
        "change_tags",
        "export_csv",
    )
    in_bulk: ClassVar = {
        "change_owner": "certificate.update",
        "change_team": "certificate.update",
        "change_policy": "certificate.update",
        "change_tags": "certificate.update",
        "export_csv": "certificate.export_list",
    }

    @admin.action(description="Change the owner…", permissions=["change"])
    def change_owner(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Give them to another owner."""
        many = Many(
            name="change_owner",
            title="Change the owner",
            button="Change the owner",
            heading="Owner now",
            now=lambda row: str(row.owner),
            act=lambda row, data: self._change(request, row, data),
            form=OwnerForm,
            explanation=AT_MOST,
        )
        return self.act_on_many(request, queryset.select_related("owner"), many)

    @admin.action(description="Change the team…", permissions=["change"])
    def change_team(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Have another team answer for them."""
        many = Many(
            name="change_team",
            title="Change the team",
            button="Change the team",
            heading="Team now",
            now=lambda row: str(row.team or "none"),
            act=lambda row, data: self._change(request, row, data),
            form=TeamForm,
            explanation=AT_MOST,
        )
        return self.act_on_many(request, queryset.select_related("team"), many)

    @admin.action(description="Change the renewal policy…", permissions=["change"])
    def change_policy(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Have them renewed by other rules."""
        many = Many(
            name="change_policy",
            title="Change the renewal policy",
            button="Change the renewal policy",
            heading="Renewal policy now",
            now=lambda row: str(row.renewal_policy or "none"),
            act=lambda row, data: self._change(request, row, data),
            form=PolicyForm,
            explanation=AT_MOST,
        )
        return self.act_on_many(request, queryset.select_related("renewal_policy"), many)

    @admin.action(description="Change the tags…", permissions=["change"])
    def change_tags(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Give them tags, and take tags away."""

        def act(row: Certificate, data: dict[str, Any]) -> str:
            left = [tag for tag in row.tags if tag not in data["remove"]]
            return self._change(request, row, {"tags": [*left, *data["add"]]})

        many = Many(
            name="change_tags",
            title="Change the tags",
            button="Change the tags",
            heading="Tags now",
            now=lambda row: ", ".join(row.tags) or "none",
            act=act,
            form=TagsForm,
            explanation=AT_MOST,
            check=_check_tags,
        )
        return self.act_on_many(request, queryset, many)

    @admin.action(description="Export as CSV", permissions=["export"])
    def export_csv(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Send them as a table."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        text = services.export_list(actor=actor_of(request), rows=queryset)
        return HttpResponse(
            text,
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="certificates.csv"',
                "Cache-Control": "no-store",
            },
        )

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that exporting asks for."""
        return request.user.has_perm(EXPORT)

    def _change(self, request: HttpRequest, row: Certificate, data: dict[str, Any]) -> str:
        services.update_details(certificate_id=row.pk, actor=actor_of(request), changes=data)
        return "As it was asked for."


def _check_tags(data: dict[str, Any]) -> None:
    """Raise Invalid for what can be no tag, before any row is changed."""
    if not data["add"] and not data["remove"]:
        words = "Name a tag to add, or one to take away."
        raise Invalid(words, errors=[FieldError("add", "required", words)])
    try:
        checked({"tags": data["add"]})
    except Invalid as error:
        raise Invalid(
            error.detail,
            errors=[FieldError("add", one["code"], one["detail"]) for one in error.errors],
        ) from None
