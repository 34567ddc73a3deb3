"""REST's adapter of agents.actors: `Authorization: Bearer certctl-agent_<secret>`."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView
from typing_extensions import override

from agents import actors
from audit.via import Door
from deployments.models import Agent
from owners.actors import via_of
from owners.models import Principal


class AgentAuthentication(BaseAuthentication):
    """Authenticate an agent by its own key; it takes no API key."""

    @override
    def authenticate(self, request: Request) -> tuple[Principal, Agent] | None:
        header = get_authorization_header(request).split()
        if not header:
            return None
        bearer = len(header) == 2 and header[0].lower() == b"bearer"  # noqa: PLR2004
        text = header[1].decode("ascii", "replace") if bearer else ""
        via = via_of(request._request, door=Door.AGENT)  # noqa: SLF001 - Django's own request
        try:
            return actors.authenticate(text, via)
        except actors.InvalidAgentKey as error:
            raise AuthenticationFailed(error.detail, error.code) from None

    @override
    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="certctl agents"'


class IsThatAgent(BasePermission):
    """Whoever asks is the agent that the address names, and no other."""

    code = "not_this_agent"
    message = "An agent sees and touches its own work alone."

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        agent = request.auth
        return isinstance(agent, Agent) and agent.pk == view.kwargs.get("agent")
