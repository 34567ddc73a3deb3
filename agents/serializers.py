"""Agents and their tokens, as REST takes and shows them."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from agents.models import MAX_NETWORKS, Token
from agents.services import Host
from agents.services.tokens import MAX_NAME
from deployments.models import Agent
from foundation.rest.fields import SparseFields, StrictInput
from jobs.services import Carried

MAX_CSR = 64 * 1024


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


class WorkItem(serializers.Serializer[Any]):
    """Something that an agent is to do, does, or waits for."""

    id = serializers.UUIDField(read_only=True, help_text="Of the job.")
    kind = serializers.CharField(read_only=True)
    todo = serializers.ChoiceField(
        choices=["csr", "carry", "wait"],
        read_only=True,
        help_text="Make a key and bring its CSR; carry; or wait for a decision or the signature.",
    )
    status = serializers.CharField(read_only=True)
    claim = serializers.IntegerField(read_only=True)
    certificate = serializers.UUIDField(read_only=True)
    certificate_name = serializers.CharField(read_only=True)
    common_name = serializers.CharField(read_only=True)
    sans = serializers.ListField(child=serializers.CharField(), read_only=True)
    key_algorithms = serializers.ListField(child=serializers.CharField(), read_only=True)
    key_fingerprint = serializers.CharField(read_only=True)
    target = serializers.UUIDField(read_only=True, allow_null=True)
    target_name = serializers.CharField(read_only=True, allow_null=True)
    target_kind = serializers.CharField(read_only=True, allow_null=True)
    waits_until = serializers.DateTimeField(read_only=True, allow_null=True)
    last_error = serializers.CharField(read_only=True)


class WorkSerializer(serializers.Serializer[Any]):
    """An agent's work: the first hundred jobs, the longest waiting first."""

    work = WorkItem(many=True, read_only=True)


class CsrInput(StrictInput):
    """The CSR of a key that the agent made."""

    csr = serializers.CharField(max_length=MAX_CSR, trim_whitespace=False)


class Settled(serializers.Serializer[Any]):
    """Where a job of an agent stands."""

    id = serializers.UUIDField(read_only=True)
    status = serializers.CharField(read_only=True)
    claim = serializers.IntegerField(source="claim_number", read_only=True)
    last_error = serializers.CharField(read_only=True)
    waits_until = serializers.DateTimeField(read_only=True, allow_null=True)


class CarriedSerializer(Settled):
    """A job that the agent has now, and what to put in place: certificates, and never a key."""

    lease_until = serializers.DateTimeField(read_only=True, allow_null=True)
    fingerprint = serializers.CharField(read_only=True, help_text="SHA-256 of the certificate.")
    key_fingerprint = serializers.CharField(
        read_only=True, help_text="SHA-256 of the SubjectPublicKeyInfo: which key it belongs to."
    )
    certificate_pem = serializers.CharField(read_only=True)
    chain_pem = serializers.CharField(read_only=True)
    target_kind = serializers.CharField(read_only=True)
    target_config = serializers.DictField(read_only=True)
    endpoint_host = serializers.CharField(read_only=True)
    endpoint_port = serializers.IntegerField(read_only=True, allow_null=True)
    server_name = serializers.CharField(read_only=True)


class ReportInput(StrictInput):
    """What became of a try."""

    claim = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    ok = serializers.BooleanField()
    fingerprint = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        allow_blank=True,
        help_text="SHA-256 of what is in place, or of what was seen.",
    )
    changed = serializers.BooleanField(required=False, default=True)
    detail = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    permanent = serializers.BooleanField(
        required=False, default=False, help_text="Trying again cannot help."
    )


def carried(one: Carried) -> dict[str, Any]:
    """Return a job that an agent took, as it is told to it."""
    shown = dict(Settled(one.job).data)
    target, material = one.job.target, one.material
    if material is None or target is None:
        return shown
    return {
        **shown,
        "lease_until": one.job.lease_until,
        "fingerprint": material.fingerprint,
        "key_fingerprint": material.key_fingerprint,
        "certificate_pem": material.leaf_pem,
        "chain_pem": material.chain_pem,
        "target_kind": target.kind,
        "target_config": target.config,
        "endpoint_host": target.endpoint_host,
        "endpoint_port": target.endpoint_port,
        "server_name": target.server_name,
    }
