"""Certificates in the admin, with what makes jobs: jobs know certificates, not the reverse."""

import hashlib
import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from typing_extensions import override

from certificates.admin.certificates import CertificateAdmin
from certificates.models import Certificate
from foundation import rates
from foundation.admin.forms import invalid, show
from foundation.answers import Answer
from foundation.errors import TooMany
from jobs import approvals, services
from jobs.admin import requesting
from jobs.models import Job
from owners.idempotency import once
from owners.logins import actor_of

# Of one person: somebody who types is asked after at most every 400 ms, twice for a new key.
CHECKS = rates.Rate(300, 60)
ASKS = ("certificates.add_certificate", "jobs.add_job")

admin.site.unregister(Certificate)


@admin.register(Certificate)
class CertificateJobsAdmin(CertificateAdmin):
    """Certificates, and what is asked for them."""

    use_cases = {**CertificateAdmin.use_cases, "add": "certificate.request"}

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return all(request.user.has_perm(name) for name in ASKS)

    @override
    def get_urls(self) -> list[URLPattern]:
        def check(request: HttpRequest) -> HttpResponse:
            return self.admin_site.admin_view(require_POST(self.check_view))(request)

        check.model_admin = self  # type: ignore[attr-defined]  # as Django's own views have it
        return [
            path("add/check/", check, name="certificates_certificate_check"),
            *super().get_urls(),
        ]

    # --- Asking for one -------------------------------------------------------------------------

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask_page(request, requesting.RequestForm())
        form = requesting.RequestForm(request.POST)
        try:
            answer = self._request(request, form)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is raised again
            outcome = self.refuse(request, "add", error)
            if form.is_valid():
                show(form, outcome)
            return self._ask_page(request, form)
        job = Job.objects.select_related("certificate__owner", "requested_by", "csr_by").get(
            pk=answer.body["job"]
        )
        waits = approvals.waits_for(job)
        next_words = waits.detail if waits else "It is being signed: look again in a moment."
        self.message_user(request, f"Asked for {job.certificate}. {next_words}", messages.SUCCESS)
        for warning in answer.body["warnings"]:
            self.message_user(request, warning, messages.WARNING)
        return HttpResponseRedirect(self._after(request, job))

    def _request(self, request: HttpRequest, form: requesting.RequestForm) -> Answer:
        """Ask, or return what was asked for when the same page was sent before; raises Invalid."""
        actor = actor_of(request)
        if requesting.weigh(actor, form) is None:
            raise invalid(form)
        data = form.cleaned_data

        def ask() -> Answer:
            given = services.request_issuance(actor=actor, **requesting.asked_with(data))
            return Answer(201, {"job": str(given.job.pk), "warnings": list(given.warnings)})

        said = {
            name: texts for name, texts in request.POST.lists() if name != "csrfmiddlewaretoken"
        }
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        return once(actor=actor, key=f"page:{data['once']}", request_digest=digest, work=ask)

    def _after(self, request: HttpRequest, job: Job) -> str:
        if request.user.has_perm("jobs.view_job"):
            return reverse(f"{self.admin_site.name}:jobs_job_change", args=[job.pk])
        return self.row_page(job.certificate)

    def _ask_page(self, request: HttpRequest, form: requesting.RequestForm) -> HttpResponse:
        request.current_app = self.admin_site.name
        chosen = getattr(form, "cleaned_data", {})
        return TemplateResponse(
            request,
            "admin/certificates/certificate/request.html",
            {
                **self.admin_site.each_context(request),
                "title": "Request a certificate",
                "opts": self.opts,
                "media": self.media + form.media,
                "form": form,
                "rules": requesting.rules_of(chosen.get("profile"), chosen.get("issuer")),
                "check": reverse(f"{self.admin_site.name}:certificates_certificate_check"),
                "back": self.list_page(),
            },
            status=400 if form.errors else 200,
        )

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Say what would come of the request as it stands; nothing is written."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            rates.take("request-check", str(request.user.pk), CHECKS)
        except TooMany as error:
            answer = JsonResponse({"detail": error.detail}, status=429)
            answer.headers["Retry-After"] = str(round(error.wait) + 1)
            return answer
        form = requesting.RequestForm(request.POST)
        return JsonResponse(requesting.outlook(actor_of(request), form).as_data())
