"""A CA that keeps orders, as others run them: it answers when the test says so, and how.

It is put into the table of connectors by the fixtures (`remote_ca` and others); what it signs is
signed with the key of the test's own CA. `desk` is what the CA knows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.utils import timezone

from issuers import connectors
from issuers.connectors.base import Order, Signed, SigningRequest
from issuers.connectors.local import LocalCA

LATER = timedelta(minutes=5)
LONGEST = timedelta(hours=2)


@dataclass
class Desk:
    """The orders that the CA has, in the order in which they came, and what goes wrong."""

    keys: list[str] = field(default_factory=list)
    orders: dict[str, tuple[str, Signed]] = field(default_factory=dict)
    is_ready: bool = False
    at_once: bool = False
    # Raised, each once: before an order reaches the CA, after it did, when it is asked for again.
    on_the_way: list[BaseException] = field(default_factory=list)
    on_the_way_back: list[BaseException] = field(default_factory=list)
    on_asking: list[BaseException] = field(default_factory=list)
    # What the CA makes of a request, and of what it signed.
    reads: Callable[[SigningRequest], SigningRequest] = lambda request: request
    is_ahead: timedelta = timedelta(0)  # of our clock
    alters: Callable[[Signed], Signed] = lambda signed: signed
    when_called: Callable[[str], Any] = lambda key: None


_DESK = Desk()


class CurtCA:
    """It says that it will answer later, and cannot be asked again."""

    keeps_orders: ClassVar[bool] = True
    longest_order: ClassVar[timedelta] = LONGEST

    def __init__(self, issuer):
        self.issuer = issuer

    def place(self, request, order_key):
        _DESK.when_called(order_key)
        _raise_one(_DESK.on_the_way)
        with time_machine.travel(timezone.now() + _DESK.is_ahead, tick=False):
            signed = LocalCA(self.issuer).place(_DESK.reads(request), order_key)
        signed = _DESK.alters(signed)
        ref = f"order-{len(_DESK.keys) + 1}"
        _DESK.keys.append(order_key)
        _DESK.orders[ref] = (order_key, signed)
        _raise_one(_DESK.on_the_way_back)
        return signed if _DESK.at_once else self._answer(ref)

    def _answer(self, ref):
        if _DESK.is_ready:
            return _DESK.orders[ref][1]
        return Order(ref, timezone.now() + LATER)

    def check(self):
        return "Somebody is at the desk."

    def chain(self):
        return LocalCA(self.issuer).chain()


class MuteCA(CurtCA):
    """It answers later, but cannot be asked whether it has an order."""

    def collect(self, ref):
        _raise_one(_DESK.on_asking)
        return self._answer(ref)


class RemoteCA(MuteCA):
    """It can also be asked by our key whether it has an order."""

    def find(self, order_key, csr):
        _raise_one(_DESK.on_asking)
        refs = [ref for ref, (key, _) in _DESK.orders.items() if key == order_key]
        return self._answer(refs[0]) if refs else None


def _raise_one(errors):
    if errors:
        raise errors.pop(0)


@pytest.fixture
def desk():
    """What the remote CA knows; fresh for each test."""
    vars(_DESK).update(vars(Desk()))
    return _DESK


@pytest.fixture
def remote_ca(local_ca, desk, monkeypatch):
    """A CA elsewhere that answers later and can be asked for what it has."""
    return _elsewhere(local_ca, "remote", "RemoteCA", monkeypatch)


@pytest.fixture
def mute_ca(local_ca, desk, monkeypatch):
    """A CA elsewhere that cannot tell whether it has an order."""
    return _elsewhere(local_ca, "mute", "MuteCA", monkeypatch)


@pytest.fixture
def curt_ca(local_ca, desk, monkeypatch):
    """A CA elsewhere that cannot be asked again for what it will answer later."""
    return _elsewhere(local_ca, "curt", "CurtCA", monkeypatch)


def _elsewhere(issuer, kind, name, monkeypatch):
    monkeypatch.setitem(connectors.CONNECTORS, kind, f"{__name__}.{name}")
    issuer.kind = kind
    issuer.save()
    return issuer


def reads(**changes):
    """Have the CA read something else in a request: `desk.reads = reads(sans=[…])`."""
    return lambda request: replace(request, **changes)
