"""Teams and owners in the admin: pages to read, and forms that the services write."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from typing_extensions import override

from foundation.admin import Deletes, Saves
from owners import services
from owners.admin.about import OwnerPage, TeamPage
from owners.logins import actor_of
from owners.models import Owner, Team


class _Named(Saves, Deletes):
    """What has a name and members."""

    filter_horizontal = ("members",)

    @override
    def delete_row(self, request: HttpRequest, row: Any) -> None:
        services.delete_named(actor=actor_of(request), row=row)


@admin.register(Team)
class TeamAdmin(TeamPage, _Named):
    """Teams."""

    empty_words = "A team is people who answer for certificates together: an owner may be one."
    empty_button = ("Make a team", "owners_team_add")

    list_display = ("name", "created_at")
    search_fields = ("name",)
    fields = ("name", "members")
    use_cases = {"add": "team.create", "change": "team.update", "delete": "team.delete"}

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return services.save_team(
            actor=actor_of(request),
            name=data["name"],
            members=data["members"],
            team_id=row.pk if row else None,
        )


@admin.register(Owner)
class OwnerAdmin(OwnerPage, _Named):
    """Owners."""

    empty_words = (
        "An owner answers for certificates: a person, or a team. Each certificate has one."
    )
    empty_button = ("Make an owner", "owners_owner_add")

    list_display = ("name", "email", "team")
    list_select_related = ("team",)
    search_fields = ("name", "email")
    autocomplete_fields = ("team",)
    fields = ("name", "email", "team", "members")
    use_cases = {"add": "owner.create", "change": "owner.update", "delete": "owner.delete"}

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        return services.save_owner(
            actor=actor_of(request),
            members=data.pop("members"),
            changes=data,
            owner_id=row.pk if row else None,
        )
