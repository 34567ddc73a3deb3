"""Idempotency-Key: the same request again gets the same answer, and nothing is made twice.

A keyed hash of the request is kept to tell another one by, never the request: it may hold a
password, and a plain hash of that could be guessed by whoever reads the database. Nor is what an
answer shows only once (`shown_once`) kept: in the answer that is given again it is null.
"""

import hashlib
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.answers import Answer
from foundation.errors import Invalid
from foundation.rest.conditions import as_sent

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    _View = GenericViewSet[Any]
else:
    _View = object

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x20-\x7e]{1,128}")
PARAMETERS = [
    OpenApiParameter(
        HEADER,
        str,
        OpenApiParameter.HEADER,
        description="1 to 128 printable characters. The same request with the same key within 24 "
        f"hours gets the same answer ({REPLAYED}: true) and makes nothing a second time.",
    ),
    OpenApiParameter(
        REPLAYED,
        str,
        OpenApiParameter.HEADER,
        response=True,
        enum=["true"],
        description="This is the answer that the same request had before.",
    ),
]


class BadIdempotencyKey(Invalid):
    """The header is not what it must be."""

    code = "invalid_idempotency_key"
    message = "An Idempotency-Key has 1 to 128 printable ASCII characters."


class Repeatable(_View):
    """A view that makes nothing twice: `repeatable` names its actions that make something.

    `shown_once` names what of their answers is not kept, and so not shown again.
    """

    repeatable: ClassVar[tuple[str, ...]] = ("create",)
    shown_once: ClassVar[tuple[str, ...]] = ()

    def once(self, request: Request, act: Callable[[], Response]) -> Response:
        """Do `act`, or answer as before where the same key came with the same request.

        `settings.ANSWER_KEEPER` keeps the answers, since this floor knows no rows. Raises
        BadIdempotencyKey, and what the keeper raises for another request under the key.
        """
        key = request.headers.get(HEADER)
        if key is None or getattr(self, "action", None) not in self.repeatable:
            return act()
        if not _KEY.fullmatch(key):
            raise BadIdempotencyKey
        fresh: list[Response] = []

        def work() -> Answer:
            fresh.append(act())
            body = as_sent(fresh[0].data)
            return Answer(fresh[0].status_code, self._kept(body))

        keyed, plain = _digests(request)
        keep = import_string(settings.ANSWER_KEEPER)
        answer: Answer = keep(
            actor=request.user, key=key, request_digest=keyed, earlier_digest=plain, work=work
        )
        if answer.replayed:
            return Response(answer.body, status=answer.status, headers={REPLAYED: "true"})
        return fresh[0]

    def _kept(self, body: Any) -> Any:
        """Return what is kept of an answer: no secret, and nothing of what is no object."""
        if not isinstance(body, dict):
            return None if self.shown_once else body
        return body | {name: None for name in self.shown_once if name in body}


def _digests(request: Request) -> tuple[str, str]:
    """Return the request's keyed hash, and the plain one that was kept up to release 0.1."""
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"), default=str)
    text = f"{request.method} {request.path}\n{body}"
    keyed = salted_hmac("certctl.idempotency", text, algorithm="sha256").hexdigest()
    return keyed, hashlib.sha256(text.encode()).hexdigest()
