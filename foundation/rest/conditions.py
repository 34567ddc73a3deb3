"""Conditional requests (RFC 9110 §13) on single things: ETag, If-None-Match, If-Match.

The tag is SHA-256 over the whole representation, as canonical JSON: strong (§8.8.1), for it differs
wherever an answer to GET does. A row's version would not do: what is shown holds names of other
rows, warnings and dates that change without it. `?fields=` is another address with a tag of its
own by the standard; it has the whole one's, so that whoever read a part can still say If-Match.
Secrets never feed in, since no representation has any: replacing nothing but a target's secrets,
or a password, leaves the tag as it is.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.errors import Invalid, PreconditionFailed
from foundation.preconditions import Expectation

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    _View = GenericViewSet[Any]
else:
    _View = object

# §8.8.3; other octets than these arrive as Latin-1, which is what obs-text is.
_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(rf"[ \t]*(?:{_TAG.pattern})?[ \t]*(?:,[ \t]*(?:{_TAG.pattern})?[ \t]*)*")
ANY = "*"
# The actions that answer with the whole of one thing at its own address.
SHOWING = ("retrieve", "partial_update", "update")
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="* or entity tags of this thing: if it has none of them any more, nothing is done "
    "and the answer is 412.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="* or entity tags: if this thing has one of them still, the answer is 304.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200],
    description="The entity tag of the whole thing, strong.",
)


class BadPrecondition(Invalid):
    """A condition that cannot be read, or is not read at this address."""

    code = "invalid_precondition"
    message = 'A condition is * or a list of entity tags, as If-Match: "4f0c…".'


@dataclass(frozen=True, slots=True)
class Tags:
    """The entity tags of a condition; without any, `*`."""

    listed: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Tags":
        """Return what the header's value says; raises BadPrecondition."""
        if text.strip() == ANY:
            return cls()
        if not _LIST.fullmatch(text) or '"' not in text:
            raise BadPrecondition
        return cls(tuple(match[0] for match in _TAG.finditer(text)))

    @property
    def is_any(self) -> bool:
        """Whether anything that exists will do."""
        return not self.listed

    def match(self, tag: str, *, weakly: bool = False) -> bool:
        """Whether `tag`, which is strong, is among them: §8.8.3.2."""
        wanted = [one.removeprefix("W/") for one in self.listed] if weakly else self.listed
        return self.is_any or tag in wanted


def tag_of(data: Any) -> str:
    """Return the entity tag of a representation, quotes included."""
    plain = json.dumps(as_sent(data), sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(plain.encode()).hexdigest()}"'


def as_sent(data: Any) -> Any:
    """Return what a serializer gives as the plain JSON values that are sent."""
    return json.loads(JSONRenderer().render(data))


class Conditional(_View):
    """A view whose single things have entity tags, and whose acts on one keep to If-Match.

    `unconditional` names actions on one thing that leave it as it is.
    """

    unconditional: ClassVar[tuple[str, ...]] = ()

    def read_conditions(self, request: Request) -> None:
        """Keep what the headers say for the act; raises BadPrecondition.

        A condition that protects from harm is never ignored: where it is not read it is refused.
        """
        self._if_match = _tags(request, "If-Match")
        self._if_none_match = _tags(request, "If-None-Match")
        if self._if_match is not None and not self.is_conditional(request.method):
            raise BadPrecondition("If-Match is not read at this address.")
        if self._if_none_match is not None and request.method not in SAFE_METHODS:
            raise BadPrecondition("If-None-Match is read with GET alone.")

    def is_conditional(self, method: str | None) -> bool:
        """Whether this is an act that changes one thing, or shows one."""
        action = getattr(self, "action", None)
        changes = method not in SAFE_METHODS and action not in self.unconditional
        return bool(getattr(self, "detail", False)) and (changes or action == "retrieve")

    def get_object(self) -> Any:
        """Return the row that the address names, and keep it for its tag."""
        self._row = super().get_object()
        return self._row

    def keeping_to_conditions(self, request: Request, act: Callable[[], Response]) -> Response:
        """Do `act` with the expectation that If-Match states; the use case looks at it.

        Raises PreconditionFailed.
        """
        tags = self._if_match
        if tags is None:
            return act()
        row = self.get_object()

        def is_met() -> bool:
            return tags.is_any or tags.match(self._tag(self.get_queryset().get(pk=row.pk)))

        if request.method in SAFE_METHODS:
            if not is_met():
                raise PreconditionFailed
            return act()
        name = getattr(self, "use_cases", {}).get(self.action, "")
        actor: Any = request.user
        via = actor.via
        actor.via = replace(via, expects=Expectation(type(row), row.pk, name, is_met))
        try:
            return act()
        finally:
            actor.via = via

    def tagged(self, request: Request, response: Response) -> Response:
        """Return the answer with its tag where it shows one thing; 304 where that is known."""
        if response.status_code != HTTPStatus.OK or self.action not in SHOWING:
            return response
        is_part = "fields" in request.query_params and request.method in SAFE_METHODS
        tag = self._tag(self._row) if is_part else tag_of(response.data)
        known = self._if_none_match  # with GET and HEAD alone
        if known is not None and known.match(tag, weakly=True):
            response = Response(status=HTTPStatus.NOT_MODIFIED)
        response.headers["ETag"] = tag
        return response

    def _tag(self, row: Any) -> str:
        # Without the request there is nothing that could leave fields out.
        context = {**self.get_serializer_context(), "request": None}
        return tag_of(self.get_serializer_class()(row, context=context).data)


def _tags(request: Request, name: str) -> Tags | None:
    text = request.headers.get(name)
    return None if text is None else Tags.read(text)
