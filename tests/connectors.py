"""Connectors that remember what they were asked for: doubles at the edge of the house.

Fixtures put them into the tables of connectors, so that the services and all above them are real.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography import x509

from certificates.models import Version
from deployments import connectors as to_targets
from deployments.connectors import handshake
from deployments.connectors.base import Material, Outcome
from deployments.connectors.file import FileConnector
from issuers import connectors as to_issuers
from issuers.connectors.local import LocalCA

NOTHING = "0" * 64  # what an endpoint shows that has none of ours


@dataclass
class Notes:
    """What a CA was asked to sign; a request whose common name is a key of `fails` raises."""

    requests: list = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)


@dataclass
class Places:
    """What was put at which target, and what its endpoint then shows to who asks for a name.

    `error` is what connectors and handshakes end with; `shows` False has endpoints show another
    certificate.
    """

    calls: list[tuple[str, str]] = field(default_factory=list)
    sites: dict[str, str] = field(default_factory=dict)
    shows: bool = True
    error: Exception | None = None

    @property
    def deployed(self) -> list[tuple[str, int]]:
        """The names of targets and the numbers of versions, in the order of the calls."""
        numbers = dict(Version.objects.values_list("fingerprint", "number"))
        return [(name, numbers[fingerprint]) for name, fingerprint in self.calls]

    def served(self, endpoint: handshake.Endpoint, **how: Any) -> str:
        """Stand in for a handshake."""
        if self.error:
            raise self.error
        return self.sites.get(endpoint.server_name, NOTHING) if self.shows else NOTHING

    def put(self, at: str, material: Material) -> None:
        """Note a deployment, and serve it from now on by its names."""
        if self.error:
            raise self.error
        self.calls.append((at, material.fingerprint))
        leaf = x509.load_pem_x509_certificate(material.leaf_pem.encode())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        for name in names.get_values_for_type(x509.DNSName):
            self.sites[name] = material.fingerprint


_NOTES, _PLACES = Notes(), Places()


class RememberingCA(LocalCA):
    """Signs as the local CA does."""

    def place(self, request, order_key):
        _NOTES.requests.append(request)
        error = _NOTES.fails.get(request.subject.rfc4514_string().removeprefix("CN="))
        if error:
            raise error
        return super().place(request, order_key)


class RememberingTarget(FileConnector):
    """Writes nothing; the target's configuration says `at` which name it is to be noted."""

    def __init__(self, at):
        self.at = at

    @classmethod
    def configured(cls, config, secrets, **where):
        return cls(config["at"])

    def deploy(self, material, *, before_swap):
        before_swap()
        _PLACES.put(self.at, material)
        return Outcome(changed=True, fingerprint=material.fingerprint, detail="written")

    def check(self):
        return []


@pytest.fixture
def ca(local_ca, monkeypatch):
    """Have what `local_ca` is asked for remembered."""
    vars(_NOTES).update(vars(Notes()))
    monkeypatch.setitem(to_issuers.CONNECTORS, "local", f"{__name__}.RememberingCA")
    return _NOTES


@pytest.fixture
def places(monkeypatch):
    """Have deployments remembered instead of made; nothing leaves this process."""
    vars(_PLACES).update(vars(Places()))
    monkeypatch.setitem(to_targets.TABLE, "file", f"{__name__}.RememberingTarget")
    monkeypatch.setattr(handshake, "served_fingerprint", _PLACES.served)
    monkeypatch.setattr("deployments.services.work._BETWEEN", 0)
    return _PLACES
