"""Every URL of certctl, except those of relying parties and devices.

Those are answered before routing, by pki_wellknown.middleware.PlainPki with pki_wellknown.urls and
by enrollment.middleware.DeviceDoors with the urls of each protocol;
they are listed here too, so that this file stays the whole map and `reverse` knows them.
"""

import sys

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

import agents.api
import audit.api
import certificates.api
import console.api
import deployments.api
import enrollment.api
import issuers.api
import jobs.api
import owners.api
import revocation.api
from console import dashboard, ops, refused, views
from enrollment.scep.views import scep
from foundation.csp import ADMIN
from foundation.errors import Unavailable
from foundation.outcomes import Outcome, is_away, outcome_of
from foundation.problems import problem
from foundation.rest.routes import SpectacularAPIView, SpectacularSwaggerSplitView, make_router

router = make_router()
router.register("certificates", revocation.api.RevokingCertificatesViewSet, basename="certificate")
router.register("revocation-plans", revocation.api.PlanViewSet, basename="revocationplan")
router.register("alerts", certificates.api.AlertViewSet, basename="alert")
router.register("versions", certificates.api.VersionViewSet, basename="version")
router.register("revocations", certificates.api.RevocationViewSet, basename="revocation")
router.register("renewal-policies", certificates.api.RenewalPolicyViewSet, basename="renewalpolicy")
router.register("issuers", certificates.api.CaViewSet, basename="issuer")
router.register("profiles", issuers.api.ProfileViewSet, basename="profile")
router.register("targets", deployments.api.TargetViewSet, basename="target")
router.register("deployments", deployments.api.DeploymentViewSet, basename="deployment")
router.register("agents", agents.api.AgentViewSet, basename="agent")
router.register("agent-tokens", agents.api.TokenViewSet, basename="agenttoken")
router.register("jobs", jobs.api.JobViewSet, basename="job")
router.register("enrollment-labels", enrollment.api.LabelViewSet, basename="label")
router.register("enrollment-devices", enrollment.api.DeviceViewSet, basename="device")
router.register("enrollment-credentials", enrollment.api.CredentialViewSet, basename="credential")
router.register("enrollments", enrollment.api.EnrollmentViewSet, basename="enrollment")
router.register("owners", owners.api.OwnerViewSet, basename="owner")
router.register("teams", owners.api.TeamViewSet, basename="team")
router.register("principals", owners.api.PrincipalViewSet, basename="principal")
router.register("api-keys", owners.api.ApiKeyViewSet, basename="apikey")
router.register("audit", audit.api.EventViewSet, basename="event")

BROKEN = Outcome(500, "internal_error", "Something went wrong on our side.")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/dashboard/", dashboard.fragment, name="dashboard"),
    *views.urls(admin.site),
    path("admin/", admin.site.urls),
    path("api/v1/me/", owners.api.MeView.as_view(), name="me"),
    path("api/v1/stats/", console.api.StatsView.as_view(), name="stats"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/v1/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"),
        name="docs",
    ),
    *agents.api.urls(),
    path("api/v1/", include(router.urls)),
    # From here on nobody needs credentials.
    path("health", ops.health, name="health"),
    path("ready", ops.ready, name="ready"),
    path("metrics", ops.metrics, name="metrics"),
    path(".well-known/pki/", include("pki_wellknown.urls")),
    path(".well-known/est/", include("enrollment.est.urls")),
    path("scep", scep),
    path("scep/", include("enrollment.scep.urls")),
]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: the API's form under /api/, a page in the admin, plain text elsewhere."""
    if request.path.startswith("/api/"):
        return problem(request, 404, "not_found", "There is nothing at this address.")
    if request.path.startswith(ADMIN):
        return refused.missing(request)
    return _text("There is nothing at this address.", 404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403 as `not_found` does 404."""
    if request.path.startswith("/api/"):
        return problem(request, 403, "missing_permission", "You may not do this.")
    if request.path.startswith(ADMIN):
        return refused.forbidden(request)
    return _text("You may not do this.", 403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is not the browser's (settings.CSRF_FAILURE_VIEW)."""
    if request.path.startswith(ADMIN):
        return refused.stale(request)
    return forbidden(request, PermissionDenied(reason))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 without a word about the inside; the request id leads to the log.

    A database that is away, or did not answer in time, is 503 wherever it was asked: in a view, in
    another middleware or in a template.
    """
    error = sys.exc_info()[1]
    away = error is not None and is_away(error)
    outcome = outcome_of(Unavailable()) if away else BROKEN
    assert outcome is not None  # noqa: S101 - Unavailable has one
    if request.path.startswith("/api/"):
        answer: HttpResponse = problem(request, outcome.status, outcome.code, outcome.detail)
    elif request.path.startswith(ADMIN):
        answer = refused.broken(request, outcome, is_away=away)
    else:
        answer = _text(outcome.detail, outcome.status)
    for name, value in outcome.headers.items():
        answer.headers[name] = value
    return answer


def _text(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")


handler403 = forbidden
handler404 = not_found
handler500 = server_error
