"""What the OpenAPI schema says of relying parties' door: plain data, for these are plain views."""

from typing import Any

PREFIX = "/.well-known/pki"
TAG = "pki"
DER = {"schema": {"type": "string", "format": "binary"}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}
CRL, OCSP, CA = "application/pkix-crl", "application/ocsp-response", "application/pkix-cert"
OCSP_REQUEST = "application/ocsp-request"

_ISSUER = {
    "name": "issuer",
    "in": "path",
    "required": True,
    "description": "The issuer's slug.",
    "schema": {"type": "string"},
}
_SCOPE = {
    "name": "scope",
    "in": "path",
    "required": True,
    "description": 'The number of a shard, or "delta".',
    "schema": {"type": "string", "pattern": "^(delta|0|[1-9][0-9]{0,3})$"},
}
_ENCODED = {
    "name": "encoded",
    "in": "path",
    "required": True,
    "description": "A request as base64 of DER (RFC 6960 Appendix A.1), which may hold slashes; or "
    "a serial in hexadecimal.",
    "schema": {"type": "string"},
}
_NOT_FOUND = {"description": "There is no such issuer.", "content": TEXT}
_LATER = {
    "description": "Not now: ask again after Retry-After.",
    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    "content": TEXT,
}
_UNCHANGED = {"description": "What If-None-Match or If-Modified-Since names is still the newest."}


def _operation(
    *,
    name: str,
    summary: str,
    media: str,
    parameters: list[dict[str, Any]],
    others: dict[str, Any],
    **members: Any,
) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "tags": [TAG],
        "parameters": parameters,
        **members,
        # Nobody who checks a certificate has credentials.
        "security": [],
        "responses": {"200": {"description": "DER.", "content": {media: DER}}, **others},
    }


PATHS: dict[str, Any] = {
    f"{PREFIX}/crl/{{issuer}}": {
        "get": _operation(
            name="pki_crl",
            summary="The issuer's newest CRL (RFC 5280 §5).",
            media=CRL,
            parameters=[_ISSUER],
            others={"304": _UNCHANGED, "404": _NOT_FOUND, "503": _LATER},
        )
    },
    f"{PREFIX}/crl/{{issuer}}/{{scope}}": {
        "get": _operation(
            name="pki_crl_part",
            summary="A shard of it by its number, or its delta (RFC 5280 §5.2.4, §5.2.5).",
            media=CRL,
            parameters=[_ISSUER, _SCOPE],
            others={"304": _UNCHANGED, "404": _NOT_FOUND, "503": _LATER},
        )
    },
    f"{PREFIX}/ca/{{issuer}}": {
        "get": _operation(
            name="pki_ca",
            summary="The issuer's own certificate (RFC 5280 §4.2.2.1, caIssuers).",
            media=CA,
            parameters=[_ISSUER],
            others={"304": _UNCHANGED, "404": _NOT_FOUND, "503": _LATER},
        )
    },
    f"{PREFIX}/ocsp/{{issuer}}": {
        "post": _operation(
            name="pki_ocsp",
            summary="Whether a certificate is revoked (RFC 6960); errors are OCSP's own, with 200.",
            media=OCSP,
            parameters=[_ISSUER],
            others={"404": _NOT_FOUND},
            requestBody={"required": True, "content": {OCSP_REQUEST: DER}},
        )
    },
    f"{PREFIX}/ocsp/{{issuer}}/{{encoded}}": {
        "get": _operation(
            name="pki_ocsp_get",
            summary="The same with the request in the path, which caches can keep.",
            media=OCSP,
            parameters=[_ISSUER, _ENCODED],
            others={"304": _UNCHANGED, "404": _NOT_FOUND},
        )
    },
}


def describe_pki(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add these routes to the schema (a postprocessing hook of drf-spectacular)."""
    result["paths"] |= PATHS
    return result
