"""Certificates in the admin, with what makes jobs: jobs know certificates, not the reverse."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from typing_extensions import override
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from certificates.admin.bulk import AT_MOST
from certificates.admin.certificates import CertificateAdmin
from certificates.admin.standing import COLOURS
from certificates.models import Certificate, CertificateStatus
from deployments.models import Deployment
from foundation import rates
from foundation.admin import Question
from foundation.admin.forms import invalid, show
from foundation.admin.lists.bulk import Many
from foundation.admin.lists.chips import YesNo
from foundation.admin.parts import Head
from foundation.answers import Answer
from foundation.errors import TooMany
from jobs import approvals, services
from jobs.admin import requesting, verbs
from jobs.admin.about import CertificateWorkPage
from jobs.admin.badges import TONE_OF, badge, with_why
from jobs.models import Job
from owners.idempotency import once
from owners.logins import actor_of

# Of one person: somebody who types is asked after at most every 400 ms, twice for a new key.
CHECKS = rates.Rate(300, 60)
ASKS = ("certificates.add_certificate", "jobs.add_job")


def _unproven() -> Q:
    """It was brought somewhere, and no handshake has shown that it is what is served there."""
    somewhere = Deployment.objects.filter(certificate=OuterRef("pk"), deployed_at__isnull=False)
    return Q(Exists(somewhere.exclude(health=Deployment.Health.HEALTHY)))


admin.site.unregister(Certificate)


@admin.register(Certificate)
class CertificateJobsAdmin(CertificateWorkPage, CertificateAdmin):
    """Certificates, and what is asked for them."""

    use_cases = {
        **CertificateAdmin.use_cases,
        "add": "certificate.request",
        "renew": "certificate.renew",
        "renew_selected": "certificate.renew",
        "deploy": "certificate.deploy",
        "verify": "certificate.verify",
    }
    actions_detail = ("renew", "deploy", "verify", *CertificateAdmin.actions_detail)
    actions = ("renew_selected", *CertificateAdmin.actions)
    own_chips = (
        *CertificateAdmin.own_chips,
        YesNo("unproven", "Unproven", _unproven, ("deployed but unproven", "proven or nowhere")),
    )

    # --- A rejection reads as one -----------------------------------------------------------------

    @override
    def get_queryset(self, request: HttpRequest) -> QuerySet[Certificate]:
        rows: QuerySet[Certificate] = super().get_queryset(request)
        return rows.annotate(rejection=approvals.why_rejected())

    @display(description="Status", ordering="status")
    def show_status(self, certificate: Certificate) -> SafeString:
        """Show the status as a badge: one that has nothing but a no is rejected, and says why."""
        why = getattr(certificate, "rejection", None)
        if approvals.reads_rejected(certificate.status, why):
            return with_why(badge(approvals.REJECTION, "rejected"), str(why))
        colour = COLOURS[CertificateStatus(certificate.status)]
        return badge(certificate.get_status_display(), TONE_OF[colour])

    @override
    def head(self, request: HttpRequest, row: Certificate) -> Head:
        head = super().head(request, row)
        job = approvals.last_rejection(row)
        if job is None:
            return head
        detail = approvals.standing_of(job).detail
        if approvals.reads_rejected(row.status, job.decision_reason):
            return replace(head, badge=badge(approvals.REJECTION, "rejected"), next=[detail])
        return replace(
            head, next=[*head.next, f"The last request for a version was rejected. {detail}"]
        )

    @override
    def has_add_permission(self, request: HttpRequest) -> bool:
        return all(request.user.has_perm(name) for name in ASKS)

    @override
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # Nobody adds another by saving this one: one is asked for.
        extra = {"show_save_and_add_another": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)

    @override
    def get_urls(self) -> list[URLPattern]:
        def check(request: HttpRequest) -> HttpResponse:
            return self.admin_site.admin_view(require_POST(self.check_view))(request)

        check.model_admin = self  # type: ignore[attr-defined]  # as Django's own views have it
        return [
            path("add/check/", check, name="certificates_certificate_check"),
            *super().get_urls(),
        ]

    # --- Work on one: each page asks first ------------------------------------------------------

    def has_ask_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Name the permission that asking for work needs."""
        return request.user.has_perm("jobs.add_job")

    @override
    def offered_besides(self, request: HttpRequest, certificate: Certificate) -> set[str]:
        besides = super().offered_besides(request, certificate)
        if certificate.status != CertificateStatus.ARCHIVED and self.has_ask_permission(request):
            besides |= verbs.offered(certificate)
        return besides

    @action(
        description="Renew…",
        url_path="renew",
        icon="autorenew",
        variant=ActionVariant.PRIMARY,
        permissions=["ask"],
    )
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the next version."""
        certificate = self.row(request, object_id)
        question = Question(
            name="renew",
            title=f"Renew {certificate}",
            explanation=f"The next version is signed by {certificate.issuer} under "
            f"{certificate.profile}, for the same names. {_decided(certificate, Job.Kind.RENEWAL)}",
            button="Ask for the renewal",
            is_calm=True,
            form=verbs.RenewForm.for_certificate(certificate),
            subject=certificate,
            back=self.row_page(certificate),
        )

        def ask(given: dict[str, Any]) -> list[str]:
            asked = services.request_renewal(
                actor=actor_of(request),
                certificate_id=certificate.pk,
                csr_pem=given.pop("csr"),
                **given,
            )
            return [
                f"Asked to renew {certificate}. {verbs.next_words(asked.job)}",
                *asked.warnings,
            ]

        return self.confirm(request, question, ask)

    @action(description="Deploy…", url_path="deploy", icon="rocket_launch", permissions=["ask"])
    def deploy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask to have the current version put in place somewhere."""
        certificate = self.row(request, object_id)
        question = Question(
            name="deploy",
            title=f"Deploy {certificate}",
            explanation="The current version is put in place at the target, and every later one "
            f"after it. {_decided(certificate, Job.Kind.DEPLOYMENT)}",
            button="Ask for the deployment",
            is_calm=True,
            form=verbs.TargetForm,
            subject=certificate,
            back=self.row_page(certificate),
        )
        return self._at_target(request, question, certificate, services.request_deployment)

    @action(description="Verify…", url_path="verify", icon="verified", permissions=["ask"])
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask to have looked at what an endpoint serves."""
        certificate = self.row(request, object_id)
        question = Question(
            name="verify",
            title=f"Verify {certificate}",
            explanation="A handshake with the target's endpoint shows whether it serves the current"
            f" version. {_decided(certificate, Job.Kind.VALIDATION)}",
            button="Ask for the look",
            is_calm=True,
            form=verbs.EndpointForm.for_certificate(certificate),
            subject=certificate,
            back=self.row_page(certificate),
        )
        return self._at_target(request, question, certificate, services.request_validation)

    def _at_target(
        self,
        request: HttpRequest,
        question: Question,
        certificate: Certificate,
        service: Callable[..., Job],
    ) -> HttpResponse:
        def ask(given: dict[str, Any]) -> list[str]:
            job = service(
                actor=actor_of(request), certificate_id=certificate.pk, target=given["target"]
            )
            return [f"Asked for: {job.kind} at {given['target']}. {verbs.next_words(job)}"]

        return self.confirm(request, question, ask)

    @admin.action(description="Renew…", permissions=["ask"])
    def renew_selected(
        self, request: HttpRequest, queryset: QuerySet[Certificate]
    ) -> HttpResponse | None:
        """Ask for the next version of each."""

        def ask(row: Certificate, data: dict[str, Any]) -> str:
            asked = services.request_renewal(
                actor=actor_of(request),
                certificate_id=row.pk,
                justification=data["justification"],
            )
            return " ".join([verbs.next_words(asked.job), *asked.warnings])

        many = Many(
            name="renew_selected",
            title="Renew",
            button="Ask for the renewals",
            heading="Ends now",
            now=lambda row: f"{row.current.not_after:%Y-%m-%d}" if row.current else "not issued",
            act=ask,
            form=verbs.ReasonForm,
            explanation=f"{AT_MOST} Each next version has the names, the issuer and the profile of "
            "the one before, and its key where the renewal policy says so.",
        )
        return self.act_on_many(request, queryset.select_related("current"), many)

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
        chosen = getattr(form, "cleaned_data", {})
        return self.render_page(
            request,
            "admin/certificates/certificate/request.html",
            status=400 if form.errors else 200,
            title="Request a certificate",
            opts=self.opts,
            media=self.media + form.media,
            form=form,
            rules=requesting.rules_of(chosen.get("profile"), chosen.get("issuer")),
            check=reverse(f"{self.admin_site.name}:certificates_certificate_check"),
            back=self.list_page(),
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


def _decided(certificate: Certificate, kind: str) -> str:
    if certificate.profile.needs_approval(kind):
        return "Somebody else decides on it first."
    return "Nobody has to decide on it, unless what it is about says otherwise."
