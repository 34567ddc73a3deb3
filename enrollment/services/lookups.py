"""What a device may ask for besides its next certificate: one of its own, and the CRL."""

from uuid import UUID

import certificates.crl
from audit.use_cases import DEVICES, use_case
from certificates.models import Version
from enrollment import policy
from enrollment.models import Device, Enrollment, Label
from enrollment.services.callers import Caller, CertificateRefused
from foundation.clock import database_clock
from foundation.errors import NotFound
from issuers.x509 import certs, raw
from owners.models import Principal


class NoSuchCertificate(NotFound):
    """The device has no certificate of that issuer and serial."""

    code = "no_such_certificate"
    message = "This device has no such certificate."


class NoCRL(NotFound):
    """The label's issuer does not go by that name, or has no CRL now."""

    code = "no_crl"
    message = "There is no CRL of that issuer here."


@use_case("enrollment.get_certificate", on=Label, by="label_id", doors=DEVICES)
def own_version(
    *, actor: Principal, label_id: UUID, caller: Caller, issuer: bytes, serial: int
) -> Version:
    """Return a certificate of the device whose valid certificate was shown.

    `issuer` is the issuer's name in DER. Raises NoSuchCertificate, CertificateRefused, Blocked.
    """
    label = Label.objects.get(pk=label_id)
    if not label.enabled:
        raise policy.Blocked(f"The label {label} is blocked.")
    if caller.version is None:
        raise CertificateRefused
    device = Device.objects.filter(
        label=label, enrollments__certificate__versions=caller.version
    ).first()
    if device is None:
        raise CertificateRefused
    if device.blocked_at is not None:
        raise policy.Blocked
    own = Enrollment.objects.filter(device=device).values("certificate")
    rows = Version.objects.filter(certificate__in=own, serial=f"{serial:x}")
    for version in rows:
        if raw.issuer(certs.load(version.pem)) == issuer:
            return version
    raise NoSuchCertificate


def crl_of(*, label: Label, issuer: bytes) -> bytes:
    """Return the CRL in DER of the label's CA, whose name in DER is `issuer`; raises NoCRL.

    It is public: whoever asks may have it.
    """
    ca = label.issuer.certificate
    if ca is None or raw.subject(ca) != issuer:
        raise NoCRL
    newest = certificates.crl.current(label.issuer.slug)
    if newest is None or newest.next_update <= database_clock.now():
        raise NoCRL
    return bytes(newest.der)
