"""What the REST API shows and takes about certificates."""

from certificates.serializers.inputs import (
    DetailsChanges,
    DetailsInput,
    ExportInput,
    ImportInput,
    NoteInput,
    OldCRLsInput,
    RevokeCurrentInput,
    RevokeInput,
)
from certificates.serializers.shown import (
    AlertSerializer,
    CaListSerializer,
    CaSerializer,
    CertificateSerializer,
    CurrentVersionSerializer,
    IssuerRevocationSerializer,
    RenewalPolicySerializer,
    RevocationSerializer,
    VersionSerializer,
)

__all__ = [
    "AlertSerializer",
    "CaListSerializer",
    "CaSerializer",
    "CertificateSerializer",
    "CurrentVersionSerializer",
    "DetailsChanges",
    "DetailsInput",
    "ExportInput",
    "ImportInput",
    "IssuerRevocationSerializer",
    "NoteInput",
    "OldCRLsInput",
    "RenewalPolicySerializer",
    "RevocationSerializer",
    "RevokeCurrentInput",
    "RevokeInput",
    "VersionSerializer",
]
