"""Agents and their tokens, as REST takes and shows them."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from agents.models import MAX_NETWORKS, Token
from agents.services import Host
from deployments.models import Agent
from foundation.rest.fields import SparseFields, StrictInput

# `agent.<name>` and its principal's `agent:` are within what a user name may hold.
MAX_NAME = 140


class AgentSerializer(SparseFields):
    """An agent, as it was last heard of."""

    clock_is_wrong = serializers.BooleanField(read_only=True)
    vouched_by_name = serializers.CharField(
        source="vouched_by.username", read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Agent
        fields: tuple[str, ...] = (
            "id",
            "name",
            "principal",
            "vouched_by",
            "vouched_by_name",
            "enabled",
            "state",
            "os",
            "architecture",
            "version",
            "address",
            "clock_offset",
            "clock_is_wrong",
            "last_seen_at",
            "retired_at",
            "created_at",
        )
        read_only_fields = fields


class Dependent(serializers.Serializer[Any]):
    """Something that depends on an agent."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)


class DependentsSerializer(serializers.Serializer[Any]):
    """What depends on an agent: the first 50 of each, and how many there are."""

    targets = Dependent(many=True, read_only=True)
    certificates = Dependent(many=True, read_only=True)
    jobs = Dependent(many=True, read_only=True)
    target_count = serializers.IntegerField(read_only=True)
    certificate_count = serializers.IntegerField(read_only=True)
    job_count = serializers.IntegerField(read_only=True)


class TokenSerializer(SparseFields):
    """A registration token as it is shown: its secret is stored nowhere."""

    state = serializers.SerializerMethodField()
    created_by_name = serializers.CharField(source="created_by.username", read_only=True)

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "id",
            "name",
            "networks",
            "prefix",
            "state",
            "expires_at",
            "withdrawn_at",
            "agent",
            "used_at",
            "created_by",
            "created_by_name",
            "created_at",
        )
        read_only_fields = fields

    def get_state(self, token: Token) -> str:
        """Return open, used, expired or withdrawn."""
        return token.state(timezone.now())


class TokenInput(StrictInput):
    """A registration token to be made."""

    name = serializers.CharField(max_length=MAX_NAME, help_text="What the agent will be called.")
    networks = serializers.ListField(
        child=serializers.CharField(max_length=64),
        required=False,
        default=list,
        max_length=MAX_NETWORKS,
        help_text='Networks it may be used from, as ["10.0.0.0/8"]; empty means anywhere.',
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Left out: in 24 hours."
    )


class CreatedToken(TokenSerializer):
    """The answer to a creation, the only one that ever carries the text itself."""

    token = serializers.CharField(read_only=True)
    ca_pem = serializers.CharField(
        read_only=True,
        help_text="The CA that the agent is to trust for this server, if any is set.",
    )

    class Meta(TokenSerializer.Meta):
        fields = (*TokenSerializer.Meta.fields, "token", "ca_pem")


class HostInput(StrictInput):
    """What an agent says of its host; what it leaves out counts as unknown."""

    instance = serializers.CharField(
        max_length=64, help_text="Which installation it is, the same for as long as it has its key."
    )
    os = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)
    architecture = serializers.CharField(
        max_length=32, required=False, default="", allow_blank=True
    )
    version = serializers.CharField(max_length=32, required=False, default="", allow_blank=True)
    clock = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Its time now."
    )


class RegistrationInput(HostInput):
    """An agent that registers, with the SHA-256 of the key that it made for itself."""

    token = serializers.CharField(max_length=200)
    key_digest = serializers.CharField(
        min_length=64, max_length=64, help_text="SHA-256 of the whole key, in hexadecimal."
    )


class KeyInput(StrictInput):
    """The key that takes the place of an agent's own."""

    key_digest = serializers.CharField(
        min_length=64, max_length=64, help_text="SHA-256 of the whole new key, in hexadecimal."
    )


class Greeting(serializers.Serializer[Any]):
    """What an agent learns when it registers or tells of its host."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(read_only=True)
    now = serializers.DateTimeField(read_only=True, help_text="Our time.")
    clock_offset = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Seconds that the agent's clock is ahead."
    )
    clock_is_wrong = serializers.BooleanField(read_only=True)
    next_heartbeat_seconds = serializers.FloatField(read_only=True)


def host_of(data: Mapping[str, Any], address: str | None) -> Host:
    """Return what an agent said of its host; its address is what we see of it."""
    return Host(
        os=data["os"],
        architecture=data["architecture"],
        version=data["version"],
        address=address,
        clock=data["clock"],
    )
