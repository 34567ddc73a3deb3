"""Attributes of certification requests (RFC 2985 §5.4) that enrollment reads: challengePassword.

SCEP proves by it who asks (RFC 8894 §3.3.1); EST binds a request to its TLS connection by the same
attribute (RFC 7030 §3.5). Whichever it is, it is a secret: compare it in constant time, and store
and log nothing of it.
"""

from asn1crypto import core, csr

from enrollment.cms import asn1, ber
from enrollment.cms.errors import CMSError

CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # an OID, no password  # noqa: S105
# RFC 2985 has 255 characters; challenges that device management makes are longer.
MAX_CHALLENGE_CHARACTERS = 4096
MAX_REQUEST_BYTES = 64 * 1024

# A DirectoryString, and IA5String, which some clients write.
_STRINGS: tuple[type[core.AbstractString], ...] = (
    core.PrintableString,
    core.UTF8String,
    core.TeletexString,
    core.BMPString,
    core.UniversalString,
    core.IA5String,
)
_BY_TAG = {kind.tag: kind for kind in _STRINGS}


class BadAttribute(ValueError):
    """The request's attributes cannot be read, or say two things; the words may be shown."""


def challenge_password(request: bytes) -> str | None:
    """Return the challengePassword of a PKCS #10 request in DER; None for none or an empty one.

    Raises BadAttribute for several, for one that is over MAX_CHALLENGE_CHARACTERS or no
    text, and for a request whose attributes cannot be reached. Its signature is not looked at:
    `issuers.x509.csr.parse` does that.
    """
    try:
        ber.check(request, max_bytes=MAX_REQUEST_BYTES)
        values = asn1.reading("request", lambda: _values(request))
    except CMSError as error:
        raise BadAttribute(str(error)) from None
    if len(values) > 1:
        raise BadAttribute("The request has several challenge passwords.")
    return (_text(values[0]) or None) if values else None


def public_key(request: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a PKCS #10 request in DER; raises BadAttribute."""
    try:
        ber.check(request, max_bytes=MAX_REQUEST_BYTES)
        return asn1.reading("request", lambda: _public_key(request))
    except CMSError as error:
        raise BadAttribute(str(error)) from None


def _public_key(request: bytes) -> bytes:
    info = csr.CertificationRequest.load(request, strict=True)["certification_request_info"]
    return bytes(info["subject_pk_info"].dump())


def _values(request: bytes) -> list[bytes]:
    info = csr.CertificationRequest.load(request, strict=True)["certification_request_info"]
    attributes = info["attributes"]
    if isinstance(attributes, core.Void):
        return []
    read = asn1.Attributes.load(attributes.untag().dump(), strict=True)
    return [
        value.dump()
        for attribute in read
        if attribute["type"].dotted == CHALLENGE_PASSWORD
        for value in attribute["values"]
    ]


def _text(value: bytes) -> str:
    kind = _BY_TAG.get(value[0])
    if kind is None:
        raise BadAttribute("The challenge password is no text.")
    try:
        text = str(kind.load(value, strict=True).native)
    except (ValueError, TypeError):
        raise BadAttribute("The challenge password is no text.") from None
    if len(text) > MAX_CHALLENGE_CHARACTERS:
        raise BadAttribute(f"A challenge password has {MAX_CHALLENGE_CHARACTERS} characters.")
    return text
