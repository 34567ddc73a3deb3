"""The OpenAPI schema: settings of what makes it, which are not for an installation to set."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "certctl",
    "DESCRIPTION": "Certificate lifecycle control plane. Errors are problem+json (RFC 9457).",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "foundation.rest.openapi.describe_problems",
        "pki_wellknown.openapi.describe_pki",
    ],
    "ENUM_NAME_OVERRIDES": {
        "CertificateStatus": "certificates.models.CertificateStatus",
        "JobStatus": "jobs.states.Status",
        "JobKind": "jobs.models.Job.Kind",
        "RevocationReason": "certificates.models.Reason",
        "Role": "owners.roles.ROLE_CHOICES",
        "IssuerKind": "issuers.models.Issuer.Kind",
        "OCSPAhead": "issuers.models.Issuer.Ahead",
        "TargetKind": "deployments.models.Target.Kind",
        "PrincipalKind": "owners.models.Principal.Kind",
    },
}
