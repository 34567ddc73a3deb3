"""Who a device is: by a secret, by the certificate that it enrolled, or by its manufacturer's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from django.utils import timezone

import certificates.policy
from audit.via import Via
from certificates.models import Version
from enrollment import policy, secret_texts
from enrollment.models import Credential, Enrollment, Label, device_name
from enrollment.states import Accepts, Protocol
from foundation.errors import NotAuthenticated
from foundation.rates import LockOut, Rate, block_of
from issuers.x509 import certs, chains, path
from issuers.x509.names import is_printable
from owners import keys, strangers

# Of one credential from one address, as with API keys: a program with an old one tries again.
MAX_CHAIN = 10
WRONG = LockOut("enrollment", Rate(30, 15 * 60))


class InvalidCredential(NotAuthenticated):
    """It is no credential of this label, or one that may not be used."""

    code = "invalid_credential"
    message = "This is not a valid credential here."


class CertificateRefused(NotAuthenticated):
    """The certificate that was shown is not one that may enroll here."""

    code = "certificate_refused"
    message = "The certificate that was shown may not be used here."


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom the door has let in at a label: exactly one of the first three is set.

    `signing_key` is the SHA-256 of the key that signed the question, in SCEP: whoever asks after it
    signs with the same. What it may do is asked again under the locks of the request. `known` is
    the credential's row as the door has read it: whose it is and who made it never change.
    """

    credential: UUID | None = None
    version: UUID | None = None
    manufactured: str = ""  # the name by which the manufacturer's certificate knows the device
    anchor: str = ""  # SHA-256 of the trust anchor that the manufacturer's certificate leads to
    prefix: str = ""  # of the credential's text, for the trail
    signing_key: str = ""
    known: Credential | None = field(default=None, compare=False, repr=False)


def by_secret(*, label: Label, text: str, user: str, via: Via) -> Caller:
    """Return the caller whose credential `text` is at `label`.

    `user` is what Basic authentication gives beside it: the device's name, or the label's path for
    what all devices share; "" where the protocol has none. Raises InvalidCredential, and TooMany
    after too many wrong ones; what is refused stands in the trail.
    """
    prefix, secret = secret_texts.parse(text) or ("", "")
    guesser = f"{block_of(via.remote_address)}:{prefix}"
    WRONG.check(guesser)
    credential = Credential.objects.of_prefix(prefix) if prefix else None
    # The comparison is made for unknown prefixes too, so that time tells nothing.
    is_right = keys.matches(secret, credential.digest if credential else None)
    why = ""
    if credential is None or not is_right:
        why = "unknown credential" if credential is None else "wrong secret"
    elif credential.label_id != label.pk:
        why = "it is another label's"
    elif user and user != (credential.device.name if credential.device else label.path):
        why = "it is not that user's"
    if credential is None or why:
        is_locked = WRONG.fail(guesser)
        strangers.tell(action="credential.refuse", via=via, name=prefix, label=str(label), why=why)
        if is_locked:
            strangers.tell(
                action="credential.lock_out",
                via=via,
                kind=strangers.LOCK_OUTS,
                name=prefix,
                label=str(label),
            )
        raise InvalidCredential
    return Caller(credential=credential.pk, prefix=credential.prefix, known=credential)


def by_certificate(
    *,
    label: Label,
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate] = (),
    via: Via,
) -> Caller:
    """Return the caller who has proven to hold the key of `certificate`.

    One that was enrolled at this label is known by its fingerprint, which is stronger than any
    path; of a manufacturer's the path to the label's trust anchors, its time and its purpose are
    checked (RFC 5280 §6). EST shows it to a TLS server, so it must be for clients.
    Raises CertificateRefused; what is refused stands in the trail.
    """
    now, anchor = timezone.now(), ""
    version = (
        Version.objects.select_related("certificate", "revocation")
        .filter(fingerprint=certs.fingerprint(certificate))
        .first()
    )
    if version is not None:
        why = _why_not_ours(version, label, now)
    else:
        anchor = _anchor_of(certificate, chain, label, now)
        why = _why_not_theirs(certificate, anchor, label)
    if not why and certificates.policy.has_leaked(certs.key_fingerprint(certificate.public_key())):
        why = "its key has leaked"
    if not why and label.protocol == Protocol.EST and not _is_for_clients(certificate):
        why = "it is not for clients"
    if why:
        name = certificate.subject.rfc4514_string()[:150]
        strangers.tell(action="credential.refuse", via=via, name=name, label=str(label), why=why)
        raise CertificateRefused(f"The certificate that was shown may not be used: {why}.")
    if version is not None:
        return Caller(version=version.pk)
    return Caller(manufactured=_manufactured_name(certificate), anchor=anchor)


def via_with(via: Via, caller: Caller) -> Via:
    """Return how the request came in with what it showed, for the trail."""
    return replace(via, api_key=caller.prefix) if caller.prefix else via


def _why_not_ours(version: Version, label: Label, now: datetime) -> str:
    if hasattr(version, "revocation"):
        return "it is revoked"
    if version.not_after <= now:
        return "it has expired"
    if now < version.not_before:
        return "it is not valid yet"
    enrolled = Enrollment.objects.filter(certificate=version.certificate_id, label=label)
    return "" if enrolled.exists() else "it was not enrolled at this label"


def _anchor_of(
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    label: Label,
    now: datetime,
) -> str:
    """Return the fingerprint of the trust anchor that it leads to now; "" where it leads to none.

    Of several the first of the label's: which it is says who vouches for the device.
    """
    if Accepts.MANUFACTURER not in label.accepts:
        return ""
    anchors = policy.anchors_of(label)
    reached = {
        way[-1]
        for way in _ways(certificate, chain, anchors)
        if all(
            one.not_valid_before_utc <= now < one.not_valid_after_utc
            for one in (certificate, *way[:-1])
        )
        and not path.problems(certificate, way)
    }
    return next((certs.fingerprint(anchor) for anchor in anchors if anchor in reached), "")


def _why_not_theirs(certificate: x509.Certificate, anchor: str, label: Label) -> str:
    if Accepts.MANUFACTURER not in label.accepts:
        return "nobody knows it here"
    if not anchor:
        return "it leads to none of the label's trust anchors now"
    if not _manufactured_name(certificate):
        return "its subject names no device (serialNumber or common name)"
    return ""


def _ways(
    certificate: x509.Certificate,
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
) -> Iterator[Sequence[x509.Certificate]]:
    """Yield each way up that ends in a trust anchor; what the device sends is only material."""
    for way in islice(chains.paths(certificate, [*anchors, *chain[:MAX_CHAIN]]), chains.MAX_PATHS):
        ends = [place for place, one in enumerate(way) if one in anchors]
        if ends:
            yield way[: ends[0] + 1]


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        purposes = certificate.extensions.get_extension_for_oid(
            ExtensionOID.EXTENDED_KEY_USAGE
        ).value
    except x509.ExtensionNotFound:
        return True
    assert isinstance(purposes, x509.ExtendedKeyUsage)  # noqa: S101 - by its OID
    return (
        ExtendedKeyUsageOID.CLIENT_AUTH in purposes
        or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes
    )


def _manufactured_name(certificate: x509.Certificate) -> str:
    for oid in (NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            name = str(attribute.value)
            return device_name(name) if is_printable(name) else ""
    return ""
