"""Blocking what enrolls, and then revoking what it holds: both asked about first."""

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from typing_extensions import override
from unfold.decorators import action

import certificates.services
import revocation.services
from certificates.admin.questions import AFFECTED, revoke_form
from certificates.models import Reason, Version
from certificates.policy import PlanChanged, reasons_for_all
from enrollment import services
from enrollment.admin.outcomes import last_of
from enrollment.models import Enrollment
from foundation.admin import Names, Question
from foundation.errors import MissingPermission
from owners.logins import actor_of
from revocation.admin.words import said_of

SHOWN = 50  # versions on a page
MOST = 1000  # versions revoked at once
BULK, REVOKE = "certificates.bulk_revoke", "certificates.revoke_certificate"


class Holds(Names):
    """What may be blocked, and holds certificates that stay valid when it is.

    A version is revoked on its own page, all of them on one that needs the permission for many.
    """

    change_form_after_template = "admin/enrollment/after.html"
    holding: ClassVar = {"revoke_held": "certificate.bulk_revoke"}

    @override
    def use_case_of(self, request: HttpRequest, name: str) -> str:
        if name == "revoke_held" and not self._holds_many(request):
            return "certificate.revoke"
        return super().use_case_of(request, name)

    def enrolled(self, row: Any) -> QuerySet[Enrollment]:
        """Return what the row enrolled."""
        enrolled: QuerySet[Enrollment] = row.enrollments.all()
        return enrolled

    def is_blocked(self, row: Any) -> bool:
        """Whether the row is blocked: then it is offered to be opened again."""
        raise NotImplementedError

    @override
    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        offered: list[Any] = super().get_actions_detail(request, object_id)
        row = self.get_object(request, str(object_id))
        hidden = "block" if row is not None and self.is_blocked(row) else "unblock"
        return [button for button in offered if button.path != hidden]

    def has_revoke_held_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this is somebody who revokes."""
        return request.user.has_perm(REVOKE)

    @action(
        description="Revoke what it holds…", url_path="revoke-held", permissions=["revoke_held"]
    )
    def revoke_held(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what is still valid of what was enrolled, and then revoke it."""
        row = self.row(request, object_id)
        held = list(services.holds(self.enrolled(row))[:MOST])
        if not held:
            self.message_user(request, f"{row} holds nothing that is still valid.", messages.INFO)
            return HttpResponseRedirect(self.row_page(row))
        if len(held) > 1 and not request.user.has_perm(BULK):
            raise MissingPermission(f"Revoking more than one at once needs the permission {BULK}.")
        return self._revoke(request, row, held)

    def after_block(self, request: HttpRequest, row: Model, response: HttpResponse) -> HttpResponse:
        """Lead whoever has just blocked `row` to what it holds, where they may revoke that."""
        is_done = self.is_confirmed(request) and isinstance(response, HttpResponseRedirect)
        held = services.holds(self.enrolled(row))[:2] if is_done else ()
        if not held or not request.user.has_perm(BULK if len(held) > 1 else REVOKE):
            return response
        place = f"{self.opts.app_label}_{self.opts.model_name}_revoke_held"
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:{place}", args=[row.pk]))

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra = {**self.around(request, row), **(extra_context or {})} if row else extra_context
        return super().change_view(request, object_id, form_url, extra)

    def around(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the page shows below the row: what it holds, and what it asked for last."""
        held = services.holds(self.enrolled(row))
        return {
            "held": list(held[:SHOWN]),
            "held_count": held.count(),
            "may_revoke": request.user.has_perm(REVOKE),
            "lines": last_of(self.enrolled(row)),
            "all_lines": reverse(f"{self.admin_site.name}:enrollment_enrollment_changelist")
            + f"?{self.opts.model_name}__id__exact={row.pk}",
        }

    def _holds_many(self, request: HttpRequest) -> bool:
        kwargs = request.resolver_match.kwargs if request.resolver_match else {}
        row = self.row(request, str(kwargs.get("object_id", "")))
        return len(services.holds(self.enrolled(row))[:2]) > 1

    def _revoke(self, request: HttpRequest, row: Model, held: list[Version]) -> HttpResponse:
        criteria = {"ids": [str(version.pk) for version in held]}
        preview = revocation.services.preview_revocation(criteria=criteria)
        is_many = len(held) > 1
        words = f"{len(held)} versions" if is_many else "one version"
        question = Question(
            name="revoke_held",
            title=f"Revoke what {row} holds",
            explanation=f"Relying parties will refuse {words}. Except for a hold, this cannot be "
            "taken back.",
            button=f"Revoke {words}",
            form=revoke_form(_reasons(request, held), is_ca=False),
            subject=None if is_many else held[0].certificate,
            details=AFFECTED,
            context={
                "rows": preview.affected,
                "caption": "What will be revoked",
                "plan": preview.plan,
            },
            back=self.row_page(row),
        )

        def revoke(given: dict[str, Any]) -> list[str]:
            actor, plan = actor_of(request), request.POST.get("plan", "")
            if not is_many:
                if plan != preview.plan:
                    raise PlanChanged
                certificates.services.revoke(version_id=held[0].pk, actor=actor, **given)
                return [f"Revoked what {row} held."]
            made = revocation.services.bulk_revoke(
                criteria=criteria, actor=actor, plan=plan, **given
            )
            return said_of(self, request, made)

        return self.confirm(request, question, revoke)


def _reasons(request: HttpRequest, held: list[Version]) -> list[Reason]:
    rows = Version.objects.filter(pk__in=[version.pk for version in held])
    return reasons_for_all(actor_of(request), rows)
