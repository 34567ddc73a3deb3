"""Which CSR a signing job gets: the one that was sent, the last one again, or one made here."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.x509.oid import NameOID
from django.conf import settings

import certificates.policy
import issuers.services
from certificates.models import Certificate
from foundation.errors import FieldError, Invalid
from foundation.sealed import Sealed
from issuers.models import Profile
from jobs.kinds.signing import CompromisedKey, check_key
from owners.models import Principal

SERVER_KEY_WARNING = (
    "The server makes the private key and keeps it encrypted. This is for demonstrations: "
    "a private key should never leave the host that uses it."
)


NOT_KEPT = "The last CSR held a challenge and was not kept: bring a new one."


class ServerKeysDisabled(Invalid):
    """Private keys are made where they are used."""

    code = "server_keys_disabled"
    message = "This server makes no private keys: send a CSR."


def server_made(
    profile: Profile, common_name: str, sans: Sequence[str], csr_pem: str
) -> tuple[Sealed, str]:
    """Make a key here and return it encrypted, with its CSR; raises Invalid, ServerKeysDisabled."""
    if csr_pem:
        raise Invalid(
            errors=[FieldError("generate_key", "invalid", "Give a CSR or ask for a key.")]
        )
    if not settings.ALLOW_SERVER_KEYS:
        raise ServerKeysDisabled(
            errors=[FieldError("generate_key", ServerKeysDisabled.code, ServerKeysDisabled.message)]
        )
    return issuers.services.generate_key_and_csr(
        profile=profile, common_name=common_name, sans=list(sans)
    )


def check(csr_pem: str, certificate: Certificate) -> issuers.services.CheckedRequest:
    """Return what may be signed of the CSR for `certificate`; raises Invalid."""
    checked = issuers.services.check_csr(
        csr_pem=csr_pem,
        profile=certificate.profile,
        common_name=certificate.common_name,
        sans=certificate.sans,
        issuer=certificate.issuer,
    )
    check_key(csr_pem)
    return checked


@dataclass(frozen=True, slots=True)
class Last:
    """The last CSR with its key, if any, and whose it is; or why it cannot be used again."""

    csr_pem: str = ""
    encrypted_key: Sealed | None = None
    by: Principal | None = None
    why_not: str = ""


def last_of(certificate: Certificate) -> Last:
    """Return the CSR of the current version, where it may be used again."""
    renewal_policy = certificate.renewal_policy
    if renewal_policy is not None and not renewal_policy.reuse_key:
        return Last()
    version = certificate.current
    if version is None or not version.csr_pem:
        was_dropped = version is not None and version.job_id is not None
        return Last(why_not=NOT_KEPT if was_dropped else "")
    if certificates.policy.revoked_for(certificate) in certificates.policy.COMPROMISES:
        return Last(why_not=CompromisedKey.message)
    try:
        check(version.csr_pem, certificate)
    except Invalid as error:
        # The rules may have become stricter since: then a person must bring a new one.
        return Last(why_not=f"The last CSR cannot be used again. {error.detail}")
    return Last(version.csr_pem, version.encrypted_key, version.csr_by)


def common_name_of(checked: issuers.services.CheckedRequest) -> str:
    """Return the common name that the CSR has, or ""."""
    names = checked.csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
