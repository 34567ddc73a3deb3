"""Fixtures for agents: carol administers and makes tokens, alice asks, bob decides, victor reads.

An agent of these tests is a client with a key of its own, as the program on a host has.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from agents import secret_texts, services
from deployments.models import Agent
from tests.jobs.conftest import ask  # noqa: F401 - pytest finds it here

API = "/api/v1/"
REGISTRATIONS = f"{API}agent-registrations/"


def digest(key: str) -> str:
    """Return the SHA-256 that a host sends of its key."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass
class Host:
    """A host that speaks as an agent: `host.post("heartbeat/", {...})`."""

    key: str = field(default_factory=secret_texts.make_key)
    instance: str = "machine-1"
    address: str = "192.0.2.10"
    agent: Any = None

    @property
    def client(self) -> APIClient:
        """Return a client that shows this host's key."""
        client = APIClient(REMOTE_ADDR=self.address)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.key}")
        return client

    def register(self, token: str, **said: Any) -> Any:
        """Register with a token, and return the answer."""
        body = {
            "token": token,
            "key_digest": digest(self.key),
            "instance": self.instance,
            "os": "Debian 13",
            "architecture": "x86_64",
            "version": "1.0",
        }
        client = APIClient(REMOTE_ADDR=self.address)
        answer = client.post(REGISTRATIONS, {**body, **said})
        if answer.status_code == 200:
            self.agent = Agent.objects.get(pk=answer.json()["id"])
        return answer

    def at(self, path: str) -> str:
        """Return the address of something of its own."""
        return f"{API}agents/{self.agent.pk}/{path}"

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST to an address of its own."""
        return self.client.post(self.at(path), body or {}, **more)

    def beat(self, **said: Any) -> Any:
        """Send a heartbeat."""
        return self.post("heartbeat/", {"instance": self.instance, **said})


@pytest.fixture
def token_for(carol):
    """Make a token as carol: `token_for("edge-1")`."""

    def make(name="edge-1", *, actor=carol, **said):
        return services.create_token(actor=actor, name=name, **said)

    return make


@pytest.fixture
def register(token_for):
    """Register a host: `register("edge-1")`."""

    def make(name="edge-1", *, actor=None, **said):
        host = Host(instance=f"machine of {name}", **said)
        made = token_for(name, **({"actor": actor} if actor else {}))
        assert host.register(made.text).status_code == 200
        return host

    return make


@pytest.fixture
def edge(register):
    """The agent edge-1, registered with carol's token."""
    return register("edge-1")


@pytest.fixture(scope="session")
def operations_of_people():
    """Every (method, address) over REST but those of the agents' own door."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    some = "00000000-0000-4000-8000-000000000000"
    return [
        (method, re.sub(r"\{\w+\}", some, path))
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if path.startswith(API)
        and {"agentKey": []} not in operation.get("security", [])
        and operation.get("security")
    ]
