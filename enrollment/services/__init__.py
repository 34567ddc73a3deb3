"""Use cases of devices' doors; a device's question is `ask`."""

from enrollment.services.answers import Answer, NoSuchRequest, answer_of
from enrollment.services.asking import ask, ask_after
from enrollment.services.callers import (
    Caller,
    CertificateRefused,
    InvalidCredential,
    by_certificate,
    by_secret,
    via_with,
)
from enrollment.services.devices import (
    DeviceTaken,
    Made,
    NewCredential,
    block_credential,
    block_device,
    create_credentials,
    create_device,
    holds,
    unblock_device,
)
from enrollment.services.enrolling import enroll
from enrollment.services.labels import (
    LabelTaken,
    block_label,
    create_label,
    unblock_label,
    update_label,
)
from enrollment.services.lookups import NoCRL, NoSuchCertificate, crl_of, own_version
from enrollment.services.new_keys import (
    Keyed,
    NeverWithApproval,
    NoServerKeys,
    ask_with_new_key,
)
from enrollment.services.ra import tend_ra_certificates

__all__ = [
    "Answer",
    "Caller",
    "CertificateRefused",
    "DeviceTaken",
    "InvalidCredential",
    "Keyed",
    "LabelTaken",
    "Made",
    "NeverWithApproval",
    "NewCredential",
    "NoCRL",
    "NoServerKeys",
    "NoSuchCertificate",
    "NoSuchRequest",
    "answer_of",
    "ask",
    "ask_after",
    "ask_with_new_key",
    "block_credential",
    "block_device",
    "block_label",
    "by_certificate",
    "by_secret",
    "create_credentials",
    "create_device",
    "create_label",
    "crl_of",
    "enroll",
    "holds",
    "own_version",
    "tend_ra_certificates",
    "unblock_device",
    "unblock_label",
    "update_label",
    "via_with",
]
