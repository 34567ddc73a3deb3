"""Jobs over REST: read them, decide on them; and what asks for them on certificates."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

import certificates.api
from certificates.models import Certificate
from deployments.models import Target
from foundation.errors import Conflict, FieldError
from foundation.rest.parsers import valid
from foundation.rest.views import Strict
from jobs import approvals, serializers, services
from jobs.filters import JobFilter
from jobs.models import Job
from jobs.permissions import NotSelf
from owners.authentication import actor_of
from owners.permissions import needs

RELATED = (
    "certificate__owner",
    "certificate__current__revocation",
    "certificate__issuer",
    "certificate__profile",
    "target",
    "version",
    "requested_by",
    "csr_agent",
    "csr_by",
    "decided_by",
)


class NoTarget(Conflict):
    """There is no saying where."""

    code = "no_target"
    message = "Name a target: the certificate is bound to none, or to more than one."


def asked(status: int, job: Job, warnings: Sequence[str] = ()) -> Response:
    """Answer with a job that was just asked for, and what the asker should know."""
    job = Job.objects.select_related(*RELATED).get(pk=job.pk)
    shown = {**serializers.JobSerializer(job).data, "warnings": list(warnings)}
    return Response(shown, status=status)


class JobViewSet(Strict, viewsets.ReadOnlyModelViewSet[Job]):
    """Read jobs; decide on those that wait for it; give the CSR that one waits for."""

    use_cases: ClassVar = {
        "approve": "job.approve",
        "reject": "job.reject",
        "cancel": "job.cancel",
        "csr": "job.submit_csr",
        "retry": "job.retry",
        "verify": "certificate.verify",
        "detach": "deployment.unbind",
    }
    queryset = Job.objects.select_related(*RELATED).order_by("-created_at", "pk")
    serializer_class = serializers.JobSerializer
    filterset_class = JobFilter
    search_fields = ("certificate__name", "certificate__common_name", "last_error")
    ordering_fields = ("created_at", "scheduled_at", "completed_at", "status", "kind")
    bodiless = ("retry", "verify")
    repeatable = ("verify",)
    unconditional = ("verify",)  # it leaves this job as it is

    @extend_schema(responses=serializers.ReviewSerializer)
    @action(detail=True, methods=["get"], permission_classes=[needs("jobs.view_job")])
    def review(self, request: Request, pk: str) -> Response:
        """Show what the job would do, and what differs from what is there."""
        reviewed = approvals.review(self.get_object())
        return Response(serializers.ReviewSerializer(reviewed.as_data()).data)

    @extend_schema(request=serializers.ApproveSerializer, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.decide_job"), NotSelf])
    def approve(self, request: Request, pk: str) -> Response:
        """Let the job run; refused to whoever asked for it or answers for the certificate."""
        job = services.approve_job(
            job_id=self._key(),
            actor=actor_of(request),
            **valid(serializers.ApproveSerializer, request),
        )
        return self._answer(job)

    @extend_schema(request=serializers.RejectSerializer, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.decide_job"), NotSelf])
    def reject(self, request: Request, pk: str) -> Response:
        """End the job, with a reason; refused to whoever asked for it."""
        data = valid(serializers.RejectSerializer, request)
        job = services.reject_job(job_id=self._key(), actor=actor_of(request), **data)
        return self._answer(job)

    @extend_schema(request=serializers.CancelSerializer, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.view_job")])
    def cancel(self, request: Request, pk: str) -> Response:
        """Call the job off: for its requester, the certificate's owner and operators."""
        data = valid(serializers.CancelSerializer, request)
        job = services.cancel_job(job_id=self._key(), actor=actor_of(request), **data)
        return self._answer(job)

    @extend_schema(request=serializers.CsrSerializer, responses=serializers.AskedSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def csr(self, request: Request, pk: str) -> Response:
        """Submit the CSR that the job waits for."""
        data = valid(serializers.CsrSerializer, request)
        job = services.submit_csr(job_id=self._key(), actor=actor_of(request), csr_pem=data["csr"])
        answer = self._answer(job)
        answer.data["warnings"] = list(approvals.of_asking(job, has_brought=True))
        return answer

    @extend_schema(request=None, responses=serializers.JobSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def retry(self, request: Request, pk: str) -> Response:
        """Try a failed job again now."""
        return self._answer(services.retry_job(job_id=self._key(), actor=actor_of(request)))

    @extend_schema(request=None, responses={202: serializers.AskedSerializer})
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def verify(self, request: Request, pk: str) -> Response:
        """Ask to have the endpoint of the job's target looked at again."""
        job = self.get_object()
        target = job.target or _only_target(job.certificate)
        verified = services.request_validation(
            actor=actor_of(request), certificate_id=job.certificate_id, target=target
        )
        return asked(202, verified, tuple(approvals.of_job(verified)))

    def _key(self) -> uuid.UUID:
        key: uuid.UUID = self.get_object().pk
        return key

    def _answer(self, job: Job) -> Response:
        fresh = self.get_queryset().get(pk=job.pk)
        return Response(serializers.JobSerializer(fresh).data)


class CertificateJobsViewSet(certificates.api.CertificateViewSet):
    """Certificates, with the actions that make jobs: jobs know certificates, not the reverse."""

    use_cases: ClassVar = {
        **certificates.api.CertificateViewSet.use_cases,
        "create": "certificate.request",
        "renew": "certificate.renew",
        "deploy": "certificate.deploy",
        "verify": "certificate.verify",
        "detach": "deployment.unbind",
    }
    repeatable = (
        *certificates.api.CertificateViewSet.repeatable,
        "renew",
        "deploy",
        "verify",
    )
    action_permissions: ClassVar[dict[str, type[BasePermission]]] = {
        **certificates.api.CertificateViewSet.action_permissions,
        "create": needs("certificates.add_certificate", "jobs.add_job"),
    }

    @extend_schema(
        request=serializers.IssuanceSerializer,
        responses={201: serializers.AskedSerializer},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put a name under management and ask for its first certificate."""
        data = valid(serializers.IssuanceSerializer, request)
        given = services.request_issuance(
            actor=actor_of(request), csr_pem=data.get("csr", ""), **_without(data, "csr")
        )
        return asked(201, given.job, given.warnings)

    @extend_schema(
        request=serializers.RenewalSerializer,
        responses={202: serializers.AskedSerializer},
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def renew(self, request: Request, pk: str) -> Response:
        """Ask for the next version."""
        data = valid(serializers.RenewalSerializer, request)
        given = services.request_renewal(
            actor=actor_of(request),
            certificate_id=self.get_object().pk,
            csr_pem=data["csr"],
            **_without(data, "csr"),
        )
        return asked(202, given.job, given.warnings)

    @extend_schema(
        request=serializers.AtTargetSerializer,
        responses={202: serializers.AskedSerializer},
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def deploy(self, request: Request, pk: str) -> Response:
        """Ask to have the current version put in place at a target, and bind the two."""
        return self._at_target(request, services.request_deployment)

    @extend_schema(
        request=serializers.AtTargetSerializer,
        responses={202: serializers.AskedSerializer},
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("jobs.add_job")])
    def verify(self, request: Request, pk: str) -> Response:
        """Ask to have looked at what the target's endpoint serves."""
        return self._at_target(request, services.request_validation)

    @extend_schema(request=serializers.DetachSerializer, responses=serializers.DetachedSerializer)
    @action(
        detail=True,
        methods=["post"],
        permission_classes=[needs("certificates.change_certificate", "jobs.cancel_job")],
    )
    def detach(self, request: Request, pk: str) -> Response:
        """Bring no more versions to a target; what lies there stays, open work ends."""
        target = valid(serializers.DetachSerializer, request)["target"]
        ended = services.detach_target(
            actor=actor_of(request), certificate_id=self.get_object().pk, target=target
        )
        answer = {"target": str(target), "cancelled_jobs": [job.pk for job in ended]}
        return Response(serializers.DetachedSerializer(answer).data)

    def _at_target(self, request: Request, service: Callable[..., Job]) -> Response:
        data = valid(serializers.AtTargetSerializer, request)
        certificate = self.get_object()
        target = data["target"] or _only_target(certificate)
        job = service(actor=actor_of(request), certificate_id=certificate.pk, target=target)
        return asked(202, job, tuple(approvals.of_job(job)))


def _only_target(certificate: Certificate) -> Target:
    bound = list(certificate.deployments.select_related("target")[:2])
    if len(bound) != 1:
        raise NoTarget(errors=[FieldError("target", "required", NoTarget.message)])
    return bound[0].target


def _without(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}
