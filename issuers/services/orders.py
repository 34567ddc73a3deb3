"""How an order goes: placed once, asked for again, looked up where its outcome is unknown.

Nothing here writes. Whoever keeps the order says how it stands, commits that it goes out
(`placing`), and keeps what comes back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from foundation.errors import ConnectorError
from issuers.connectors.base import (
    Connector,
    FindsOrders,
    Order,
    OrderRefused,
    OrderUnanswered,
    PollsOrders,
    Signed,
    SigningRequest,
    UnknownOutcome,
)

SOONEST = timedelta(seconds=10)  # no issuer is asked for the same order more often
AGAIN = timedelta(minutes=1)  # when an issuer that could not be reached is asked again


@dataclass(frozen=True, slots=True)
class OrderState:
    """How an order stands: our key, the CA's word for it ("" unknown), since when it is out."""

    key: str
    ref: str = ""
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that is out: what the CA calls it, when to ask again, and what went wrong if so."""

    ref: str
    until: datetime
    why: str = ""


def answer_of(
    connector: Connector,
    request: SigningRequest,
    order: OrderState,
    placing: Callable[[], None],
) -> Signed | Waiting:
    """Place the order, or ask for the one that is out; call it with no transaction open.

    `placing` is called right before an order goes out to a CA that keeps orders, and what it
    raises keeps it here. An order that is out outlasts errors that pass, until its issuer's
    longest time is over. Raises ConnectorError, of it OrderRefused, UnknownOutcome and
    OrderUnanswered.
    """
    if not connector.keeps_orders:
        return _at_once(connector.place(request, order.key))
    out = _Out(order, placing)
    try:
        answer = _ask(connector, request, out)
    except (OrderRefused, UnknownOutcome):
        raise
    except ConnectorError as error:
        if error.permanent or out.placed_at is None:
            raise
        return _wait(connector, out, out.ref, timezone.now() + AGAIN, error.detail)
    if isinstance(answer, Signed):
        return answer
    if not answer.ref or not isinstance(connector, PollsOrders):
        raise UnknownOutcome(f"The issuer cannot be asked again for the order {order.key}.")
    return _wait(connector, out, answer.ref, answer.ask_again_at)


class _Out:
    """An order on its way: as it stood, and since when it is out."""

    def __init__(self, order: OrderState, placing: Callable[[], None]) -> None:
        self.key, self.ref, self.placed_at = order.key, order.ref, order.placed_at
        self._placing = placing

    def goes_out(self) -> None:
        self._placing()
        self.placed_at = timezone.now()


def _ask(connector: Connector, request: SigningRequest, out: _Out) -> Signed | Order:
    if out.placed_at is None:
        return _place(connector, request, out)
    if out.ref and isinstance(connector, PollsOrders):
        return connector.collect(out.ref)
    # It was to go out, and what became of it was never committed.
    if not isinstance(connector, FindsOrders):
        raise UnknownOutcome(_look_there(out, "its answer was lost"))
    answer = connector.find(out.key, request.csr)
    return _place(connector, request, out) if answer is None else answer


def _place(connector: Connector, request: SigningRequest, out: _Out) -> Signed | Order:
    out.goes_out()
    try:
        return connector.place(request, out.key)
    except (OrderRefused, UnknownOutcome):
        raise
    except Exception as error:
        if isinstance(connector, FindsOrders):
            raise
        why = error.detail if isinstance(error, ConnectorError) else type(error).__name__
        raise UnknownOutcome(_look_there(out, why)) from error


def _look_there(out: _Out, why: str) -> str:
    return (
        f"The issuer may or may not have carried out the order {out.key} ({why.rstrip('.')}), and"
        " cannot be asked. Look there; then ask for the certificate anew, if it is still needed."
    )


def _wait(connector: Connector, out: _Out, ref: str, again_at: datetime, why: str = "") -> Waiting:
    now = timezone.now()
    ends = (out.placed_at or now) + connector.longest_order
    if now >= ends and not ref:
        raise UnknownOutcome(_look_there(out, why))
    if now >= ends:
        raise OrderUnanswered(
            f"The issuer did not answer the order {ref} in the time that it may take. {why}".strip()
        )
    # At the very end it is asked once more.
    return Waiting(ref, min(max(again_at, now + SOONEST), ends), why)


def _at_once(answer: Signed | Order) -> Signed:
    if isinstance(answer, Order):
        raise ConnectorError("An issuer that keeps no orders must answer at once.", permanent=True)
    return answer
