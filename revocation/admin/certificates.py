"""Revoking many certificates that were chosen on their list."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from typing_extensions import override

from certificates.admin.questions import AFFECTED, revoke_form
from certificates.models import Certificate, Version
from certificates.policy import reasons_for_all
from foundation.admin import Question
from jobs.admin.certificates import CertificateJobsAdmin
from owners.logins import actor_of
from revocation import services
from revocation.admin.words import said_of

admin.site.unregister(Certificate)  # below it is without what needs plans


@admin.register(Certificate)
class RevokingCertificateAdmin(CertificateJobsAdmin):
    """Certificates, with what revokes many of them: that is done by a plan."""

    @override
    def ask_for_many(self, request: HttpRequest, chosen: Sequence[Certificate]) -> HttpResponse:
        criteria = {"ids": [str(row.pk) for row in chosen]}
        preview = services.preview_revocation(criteria=criteria)
        hit = Version.objects.filter(pk__in=[one.version for one in preview.affected])
        question = Question(
            name="revoke_selected",
            title=f"Revoke {preview.count} versions",
            explanation=f"{len(preview.owners)} owner(s) are concerned, and CRLs grow by about "
            f"{preview.crl_growth_bytes} bytes. Except for holds, this cannot be taken back.",
            button=f"Revoke {preview.count} versions",
            form=revoke_form(reasons_for_all(actor_of(request), hit), is_ca=False),
            details=AFFECTED,
            context={
                "rows": preview.affected,
                "caption": "What will be revoked: every valid version of the chosen certificates",
                "plan": preview.plan,
            },
            action="revoke_selected",
            selected=chosen,
            back=self.list_page(),
        )

        def revoke(given: dict[str, Any]) -> list[str]:
            plan = services.bulk_revoke(
                criteria=criteria,
                actor=actor_of(request),
                plan=request.POST.get("plan", ""),
                **given,
            )
            return said_of(self, request, plan)

        return self.confirm(request, question, revoke)
