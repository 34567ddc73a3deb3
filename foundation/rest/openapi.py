"""What the OpenAPI schema says of errors: every operation's, in one place."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from typing_extensions import override

from foundation.problems import CONTENT_TYPE
from foundation.rest import conditions, repeats

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` is stable; `detail` is for people.",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:certctl:problem:self_approval"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["self_approval"]},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
WORDS = {
    400: "The input is not valid; `errors` names the fields.",
    401: "No API key, or one that cannot be used.",
    403: "The principal, or its key, may not do this.",
    404: "There is no such thing.",
    409: "The state of things does not allow it now.",
    412: "It has changed since the tag in If-Match was given; nothing was done.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests: wait as long as Retry-After says.",
    502: "The other side (an issuer, a target) did not do what it was asked.",
    503: "The installation is busy or restarting: try again as late as Retry-After says.",
}
ALWAYS = (400, 401, 403, 404, 429, 503)
WITH_BODY = (409, 413, 415, 502)


class Schema(AutoSchema):
    """What the schema says of each operation, with the headers that its view reads and gives."""

    @override
    def get_override_parameters(self) -> list[Any]:
        view, action = self.view, getattr(self.view, "action", None)
        parameters = list(super().get_override_parameters())
        if isinstance(view, conditions.Conditional) and view.is_conditional(self.method):
            shows = action == "retrieve"
            parameters.append(conditions.IF_NONE_MATCH if shows else conditions.IF_MATCH)
            if action in conditions.SHOWING:
                parameters.append(conditions.ETAG)
        if isinstance(view, repeats.Repeatable) and action in view.repeatable:
            parameters += repeats.PARAMETERS
        return parameters


def describe_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the errors to every operation (a postprocessing hook of drf-spectacular)."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {_name(status): _response(status) for status in WORDS}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            statuses = ALWAYS if method == "get" else (*ALWAYS, *WITH_BODY)
            if "security" not in operation:
                continue  # it needs no key: the schema's own address
            headers = {one["name"] for one in operation.get("parameters", [])}
            if "If-None-Match" in headers:
                operation["responses"]["304"] = {"description": "It is as it was; no body."}
            if "If-Match" in headers:
                statuses = (*statuses, 412)
            for status in statuses:
                operation["responses"].setdefault(
                    str(status), {"$ref": f"#/components/responses/{_name(status)}"}
                )
    return result


def _name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": WORDS[status],
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return response
