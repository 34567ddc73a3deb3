"""The keys that SCEP labels answer with: the only module of devices' doors that opens one."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certificates.models import Version
from enrollment.models import Label
from foundation.errors import Unavailable
from issuers.server_keys import SERVER_KEY
from issuers.x509 import certs

MAX_KEYS = 3  # valid at the same time: the newest, and what it took the place of


class NoRA(Unavailable):
    """The label has no RA certificate that is valid now."""

    code = "no_ra_certificate"
    message = (
        "This label has no valid RA certificate now: it is asked for, or an operator has to see to "
        "its issuer. Try again in a minute."
    )


@dataclass(frozen=True, slots=True)
class RA:
    """An RA certificate that is valid, with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


def certificates_of(label: Label, now: datetime) -> list[Version]:
    """Return the label's RA certificates that are valid at `now` and not revoked, newest first."""
    if label.ra_certificate_id is None:
        return []
    rows = Version.objects.filter(
        certificate=label.ra_certificate_id,
        not_before__lte=now,
        not_after__gt=now,
        revocation__isnull=True,
        encrypted_key__isnull=False,
    )
    return list(rows.order_by("-number")[:MAX_KEYS])


def open_keys(label: Label, now: datetime) -> list[RA]:
    """Return them with their keys, the newest first; raises NoRA where there is none."""
    opened = [_open(version) for version in certificates_of(label, now)]
    if not opened:
        raise NoRA
    return opened


def _open(version: Version) -> RA:
    assert version.encrypted_key is not None  # noqa: S101 - those alone are asked for
    pem = version.encrypted_key.open(SERVER_KEY)
    # What was sealed here is what was made here: its arithmetic need not be checked each time.
    key = serialization.load_pem_private_key(
        pem, password=None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 - the profile allows no others
    return RA(certs.load(version.pem), key)
