"""REST: agents and tokens for people; registration; and the door of agents themselves."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import URLPattern, path
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

import jobs.services
import owners.actors
from agents import serializers as shapes
from agents import services
from agents.authentication import AgentAuthentication, IsThatAgent
from agents.models import Token
from audit.via import Door
from deployments.models import Agent
from foundation.rest.parsers import valid
from foundation.rest.views import Strict
from jobs.services import Report
from owners.authentication import actor_of
from owners.models import Principal
from owners.permissions import needs

ONCE = {"Cache-Control": "no-store"}


class AgentKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI schema describes agents' keys."""

    target_class = "agents.authentication.AgentAuthentication"
    name = "agentKey"

    @override
    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "certctl-agent_<secret>"}


class AgentViewSet(Strict, viewsets.ReadOnlyModelViewSet[Agent]):
    """Agents: what is known of them, what depends on them, and how they are retired."""

    use_cases: ClassVar = {"retire": "agent.retire"}
    queryset: QuerySet[Agent] = Agent.objects.select_related("vouched_by").order_by("name")
    serializer_class = shapes.AgentSerializer
    filterset_fields = ("name", "enabled", "principal", "state", "os", "architecture", "version")
    search_fields = ("name",)
    ordering_fields = ("name", "last_seen_at", "created_at")
    bodiless = ("retire",)

    @extend_schema(responses=shapes.DependentsSerializer)
    @action(detail=True, methods=["get"], permission_classes=[needs("deployments.view_agent")])
    def dependents(self, request: Request, pk: str) -> Response:
        """Return the targets that it carries to, what is served there, and its open work."""
        dependents = services.dependents_of(self.get_object())
        return Response(shapes.DependentsSerializer(dependents).data)

    @extend_schema(request=None, responses=shapes.AgentSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("deployments.change_agent")])
    def retire(self, request: Request, pk: str) -> Response:
        """Let it in no more and end its open work; its targets stay until another has them."""
        agent = services.retire_agent(actor=actor_of(request), agent_id=self.get_object().pk)
        return Response(shapes.AgentSerializer(agent).data)


class TokenViewSet(Strict, viewsets.ReadOnlyModelViewSet[Token]):
    """Registration tokens: made and withdrawn, never changed and never shown again."""

    use_cases: ClassVar = {"create": "agent.create_token", "withdraw": "agent.withdraw_token"}
    queryset: QuerySet[Token] = Token.objects.select_related("created_by").order_by(
        "-created_at", "pk"
    )
    serializer_class = shapes.TokenSerializer
    filterset_fields = ("name", "agent", "created_by")
    search_fields = ("name", "prefix")
    ordering_fields = ("created_at", "expires_at", "name")
    bodiless = ("withdraw",)
    shown_once = ("token",)

    @extend_schema(request=shapes.TokenInput, responses={201: shapes.CreatedToken})
    def create(self, request: Request) -> Response:
        """Make a token; `token` in the answer is shown this once."""
        made = services.create_token(actor=actor_of(request), **valid(shapes.TokenInput, request))
        data: dict[str, Any] = {
            **shapes.TokenSerializer(made.token).data,
            "token": made.text,
            "ca_pem": made.ca_pem,
        }
        return Response(data, status.HTTP_201_CREATED, headers=ONCE)

    @extend_schema(request=None, responses=shapes.TokenSerializer)
    @action(detail=True, methods=["post"], permission_classes=[needs("agents.change_token")])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Have nobody register with it any more."""
        token = services.withdraw_token(actor=actor_of(request), token_id=self.get_object().pk)
        return Response(shapes.TokenSerializer(token).data)


class RegistrationViewSet(Strict, viewsets.GenericViewSet[Agent]):
    """Where agents come the first time, with a token and no key of ours."""

    use_cases: ClassVar = {"create": "agent.register"}
    door = Door.AGENT
    queryset: QuerySet[Agent] = Agent.objects.none()
    serializer_class = shapes.Greeting
    authentication_classes = ()
    permission_classes = ()
    # The same token and key get the same answer anyway, and nobody is known to keep it for.
    repeatable = ()

    @extend_schema(request=shapes.RegistrationInput, responses={200: shapes.Greeting})
    def create(self, request: Request) -> Response:
        """Register an agent; the same key with the same token again gets the same answer."""
        data = valid(shapes.RegistrationInput, request)
        via = owners.actors.via_of(request._request, door=Door.AGENT)  # noqa: SLF001
        registered = services.register(
            token=data["token"],
            key_digest=data["key_digest"],
            instance=data["instance"],
            host=shapes.host_of(data, via.remote_address),
            via=via,
        )
        return Response(_greeting(registered.agent))


class OwnViewSet(Strict, viewsets.GenericViewSet[Agent]):
    """The door of agents: each sees and touches its own, known by its key."""

    use_cases: ClassVar = {
        "heartbeat": "agent.heartbeat",
        "rotate": "agent.rotate_key",
        "csr": "job.submit_csr",
        "carry": "job.carry",
        "report": "job.report",
    }
    door = Door.AGENT
    queryset: QuerySet[Agent] = Agent.objects.none()
    serializer_class = shapes.Greeting
    authentication_classes = (AgentAuthentication,)
    permission_classes = (IsThatAgent,)
    repeatable = ()
    bodiless = ("carry",)

    @extend_schema(request=shapes.HostInput, responses=shapes.Greeting)
    def heartbeat(self, request: Request, agent: str) -> Response:
        """Say that it is there and what its host is like; told is whether its clock is right."""
        data = valid(shapes.HostInput, request)
        actor = _agents_actor(request)
        row = services.heartbeat(
            actor=actor,
            agent=_own(request),
            instance=data["instance"],
            host=shapes.host_of(data, actor.via.remote_address),
        )
        return Response(_greeting(row))

    @extend_schema(request=shapes.KeyInput, responses={204: None})
    def rotate(self, request: Request, agent: str) -> Response:
        """Announce the key that takes the place of this one with its first use."""
        services.rotate_key(
            actor=_agents_actor(request), agent=_own(request), **valid(shapes.KeyInput, request)
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={200: shapes.WorkSerializer, 304: None})
    def work(self, request: Request, agent: str) -> Response:
        """Return what is to be done; 304 where that is what If-None-Match names."""
        work = services.work_of(_own(request))
        tag = f'"{work.tag}"'
        headers = {"ETag": tag, "Cache-Control": "no-store"}
        known = [one.strip().removeprefix("W/") for one in _none_match(request).split(",")]
        if tag in known:
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return Response({"work": list(work.items)}, headers=headers)

    @extend_schema(request=shapes.CsrInput, responses=shapes.Settled)
    def csr(self, request: Request, agent: str, job: UUID) -> Response:
        """Bring the CSR of the key that it made for a job; the same again changes nothing."""
        data = valid(shapes.CsrInput, request)
        row = jobs.services.submit_csr(
            actor=_agents_actor(request), agent=_own(request), job_id=job, csr_pem=data["csr"]
        )
        return Response(shapes.Settled(row).data)

    @extend_schema(request=None, responses=shapes.CarriedSerializer)
    def carry(self, request: Request, agent: str, job: UUID) -> Response:
        """Take a job, or go on with it after a restart; what to put in place is in the answer."""
        one = jobs.services.carry(actor=_agents_actor(request), agent=_own(request), job_id=job)
        return Response(shapes.carried(one))

    @extend_schema(request=shapes.ReportInput, responses=shapes.Settled)
    def report(self, request: Request, agent: str, job: UUID) -> Response:
        """Say what became of a try; the same again changes nothing."""
        data = valid(shapes.ReportInput, request)
        row = jobs.services.report(
            actor=_agents_actor(request),
            agent=_own(request),
            job_id=job,
            claim=data.pop("claim"),
            result=Report(**data),
        )
        return Response(shapes.Settled(row).data)


def urls() -> list[URLPattern]:
    """Return the addresses of the agents' door, under the API."""
    own = OwnViewSet.as_view
    at = "api/v1/agents/<uuid:agent>/"
    return [
        path(
            "api/v1/agent-registrations/",
            RegistrationViewSet.as_view({"post": "create"}),
            name="agent-registration",
        ),
        path(f"{at}heartbeat/", own({"post": "heartbeat"}), name="agent-heartbeat"),
        path(f"{at}key/", own({"put": "rotate"}), name="agent-key"),
        path(f"{at}work/", own({"get": "work"}), name="agent-work"),
        path(f"{at}work/<uuid:job>/csr/", own({"post": "csr"}), name="agent-csr"),
        path(f"{at}work/<uuid:job>/carry/", own({"post": "carry"}), name="agent-carry"),
        path(f"{at}work/<uuid:job>/report/", own({"post": "report"}), name="agent-report"),
    ]


def _none_match(request: Request) -> str:
    return str(request.headers.get("If-None-Match", ""))


def _agents_actor(request: Request) -> Principal:
    return owners.actors.actor_of(request._request, Door.AGENT)  # noqa: SLF001


def _own(request: Request) -> Agent:
    agent = request.auth
    assert isinstance(agent, Agent)  # noqa: S101 - IsThatAgent has seen to it
    return agent


def _greeting(agent: Agent) -> dict[str, Any]:
    greeting = {
        "id": agent.pk,
        "name": agent.name,
        "now": timezone.now(),
        "clock_offset": agent.clock_offset,
        "clock_is_wrong": agent.clock_is_wrong,
        "next_heartbeat_seconds": services.next_heartbeat().total_seconds(),
    }
    return dict(shapes.Greeting(greeting).data)
