"""How a certificate stands and what comes next, in words: pure, but for the policy it reads."""

from datetime import datetime

from certificates import policy
from certificates.models import Certificate, CertificateStatus, Version
from foundation.admin.parts import Badge, Fact
from foundation.admin.parts import ending as ends
from foundation.admin.words import moment, reason

COLOURS = {
    CertificateStatus.PENDING: "info",
    CertificateStatus.ACTIVE: "success",
    CertificateStatus.EXPIRING: "warning",
    CertificateStatus.EXPIRED: "danger",
    CertificateStatus.RENEWAL_IN_PROGRESS: "info",
    CertificateStatus.FAILED: "danger",
    CertificateStatus.REVOKED: "danger",
    CertificateStatus.ARCHIVED: "default",
}
_RENEWED = {
    CertificateStatus.ACTIVE: "It is in use.",
    CertificateStatus.EXPIRING: "It ends soon.",
    CertificateStatus.EXPIRED: "It has ended: nobody accepts it any more.",
}
_ELSE = {
    CertificateStatus.PENDING: "Nothing has been signed for it yet.",
    CertificateStatus.RENEWAL_IN_PROGRESS: "The next version is on its way; the present one stays"
    " in use until then.",
    CertificateStatus.FAILED: "Its last job failed for good: see there why, and ask for a renewal.",
    CertificateStatus.ARCHIVED: "It is put away: only to be read, and its history stays.",
}


def badge_of(certificate: Certificate) -> Badge:
    """Return the status of a certificate."""
    status = CertificateStatus(certificate.status)
    return Badge(str(status.label), COLOURS[status])


def next_words(certificate: Certificate) -> str:
    """Say what the status means, and what somebody has to do, or what comes by itself."""
    status = CertificateStatus(certificate.status)
    if status == CertificateStatus.REVOKED:
        return _revoked(certificate)
    if status in _RENEWED:
        return f"{_RENEWED[status]} {_renewal(certificate)}"
    return _ELSE[status]


def ending(version: Version | None, now: datetime) -> list[Fact]:
    """Return when the version ends: how far off that is, and the date."""
    return [] if version is None else [ends(version.not_after, now)]


def state_of(version: Version) -> Badge:
    """Return whether a version is in use, superseded or revoked."""
    revocation = getattr(version, "revocation", None)
    if revocation is not None:
        on_hold = revocation.reason == "certificateHold"
        return Badge("on hold", "warning") if on_hold else Badge("revoked", "danger")
    return Badge("superseded", "default") if version.superseded_at else Badge("in use", "success")


def _renewal(certificate: Certificate) -> str:
    version, rule = certificate.current, certificate.renewal_policy
    if version is None or rule is None or not rule.auto_renew:
        return "Nothing renews it by itself: ask for a renewal before it ends."
    if version.device:
        return "The device that holds it renews it by itself."
    due = version.not_after - policy.renewal_window(
        rule.window, version.not_before, version.not_after
    )
    return f"It is renewed by itself from {moment(due)} on ({rule.name})."


def _revoked(certificate: Certificate) -> str:
    revocation = getattr(certificate.current, "revocation", None)
    if revocation is None:
        return "The version in use is revoked. Ask for a renewal where it is still needed."
    if revocation.reason == "certificateHold":
        return "It is on hold: not good until the hold is released, or a new version is signed."
    return (
        f"{reason(revocation.reason)}. Ask for a renewal where it is still needed,"
        " and take the old one out of use."
    )
