"""Registration tokens in the admin: made here and shown once; withdrawn; never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from typing_extensions import override
from unfold.decorators import action, display

from agents import services
from agents.models import Token
from agents.services import MadeToken
from foundation.admin import Confirms, Question, ShownOnce
from foundation.forms import LinesField
from owners.logins import actor_of


class TokenForm(forms.ModelForm[Token]):
    """A token to be made."""

    networks = LinesField(
        help_text="Where the agent may register from, one network a line, as 10.0.0.0/8. Empty: "
        "anywhere."
    )

    class Meta:
        model = Token
        fields = ("name", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "expires_at" in self.fields:
            self.fields["expires_at"].required = False
            self.fields["expires_at"].help_text = "Empty: in 24 hours. At most 30 days."


@admin.register(Token)
class TokenAdmin(ShownOnce, Confirms):
    """What an agent shows the first time, and never again."""

    empty_words = (
        "A token lets one agent register, once: for its name, from the networks and until the "
        "moment that you say. You vouch for it: what its key is for, somebody else approves."
    )
    empty_button = ("Make a token", "agents_token_add")

    form = TokenForm
    list_display = ("name", "prefix", "state", "expires_at", "agent", "created_by", "created_at")
    list_select_related = ("agent", "created_by")
    search_fields = ("name", "prefix")
    ordering = ("-created_at", "pk")
    fields = ("name", "networks", "expires_at")
    shown = (
        "name",
        "prefix",
        "state",
        "networks",
        "expires_at",
        "agent",
        "used_at",
        "withdrawn_at",
        "created_by",
        "created_at",
    )
    actions_detail = ("withdraw",)
    use_cases = {"add": "agent.create_token", "withdraw": "agent.withdraw_token"}

    def has_withdraw_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who withdraws tokens."""
        return request.user.has_perm("agents.change_token")

    @display(
        description="State",
        label={"open": "success", "used": "info", "expired": "warning", "withdrawn": "danger"},
    )
    def state(self, token: Token) -> str:
        """Say whether an agent may register with it."""
        return token.state(timezone.now())

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        return super().get_queryset(request).defer("digest")

    @override
    def save_row(self, request: HttpRequest, data: dict[str, Any], row: Any) -> Any:
        made = services.create_token(actor=actor_of(request), **data)
        self.keep(request, made)
        return made.token

    @override
    def page_of_made(self, made: MadeToken) -> tuple[str, dict[str, Any]]:
        return "admin/agents/token/created.html", {"title": "Token made", "made": made}

    @action(description="Withdraw…", url_path="withdraw", icon="block", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Have nobody register with the token, once it is confirmed."""
        token = self.row(request, object_id)
        question = Question(
            name="withdraw",
            title=f"Withdraw the token {token}",
            explanation="Nobody registers with it any more, for good.",
            button="Withdraw",
            subject=token,
            back=self.row_page(token),
        )

        def withdraw(_: dict[str, Any]) -> list[str]:
            services.withdraw_token(actor=actor_of(request), token_id=token.pk)
            return [f"Withdrew {token}."]

        return self.confirm(request, question, withdraw)
